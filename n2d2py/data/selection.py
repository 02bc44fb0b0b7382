"""What is done to a database once it is loaded: labels dropped, regions filtered, images cut into slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from n2d2py.data.content import Content, Slice
from n2d2py.data.frame import IGNORE
from n2d2py.data.partition import APPLY_TO, SETS
from n2d2py.data.random import Generator
from n2d2py.data.rois import cropped, rectangle
from n2d2py.errors import ParameterError, did_you_mean
from n2d2py.kinds import boolean, list_of, one_of, positive, text
from n2d2py.parameters import REQUIRED, Record, parameter, read

if TYPE_CHECKING:
    from n2d2py.ini import Document


class Selection(Protocol):
    """A change of a loaded database."""

    def change(self, content: Content, generator: Generator) -> None:
        """Change ``content``; draws come from ``generator``."""
        ...


@dataclass(frozen=True, kw_only=True)
class SortAndDropLabels(Record):
    """``[database.sortAndDropLabels]``: the labels with the fewest (or most) stimuli are kept, the others dropped."""

    keep: int = parameter("NbKeep", positive, REQUIRED, "number of labels that are kept")
    ascending: bool = parameter("Ascending", boolean, True, "1: those with the fewest stimuli, 0: with the most")

    def change(self, content: Content, generator: Generator) -> None:
        """Labels are counted in the sets; the ids of those that are kept close up, in their order."""
        ids = np.concatenate([content.ids(name) for name in SETS])
        labels = content.labels[ids]
        counts = np.bincount(labels[labels >= 0], minlength=len(content.label_names))
        order = np.argsort(counts if self.ascending else -counts, kind="stable")
        kept = np.sort(order[: self.keep])
        content.keep_labels(kept.tolist())


@dataclass(frozen=True, kw_only=True)
class FilterRois(Record):
    """``[database.filterROIs]``: regions of some labels are kept, or removed."""

    labels: tuple[str, ...] = parameter("Labels", list_of(text), REQUIRED, "names of labels")
    keep: bool = parameter("FilterKeep", boolean, True, "1: only regions of these labels are kept, 0: they are removed")
    remove_stimuli: bool = parameter("RemoveStimuli", boolean, True, "1: stimuli left without a region are dropped")

    def change(self, content: Content, generator: Generator) -> None:
        """Raises :class:`ParameterError` for a name that is no label of the database."""
        for name in self.labels:
            if name not in content.label_names:
                raise ParameterError(
                    f"the database has no label {name!r}",
                    place=self.place("labels"),
                    expected="names of labels of the database",
                    remedy=did_you_mean(name, content.label_names),
                )
        wanted = {content.label_id(name) for name in self.labels}
        content.rois = {
            stimulus: left
            for stimulus, rois in content.rois.items()
            if (left := tuple(roi for roi in rois if (roi.label in wanted) == self.keep))
        }
        if self.remove_stimuli:
            content.partition.keep(content.rois)


@dataclass(frozen=True, kw_only=True)
class Slicing(Record):
    """``[database.slicing]``: each image is cut into slices, columns of them from left to right."""

    width: int = parameter("Width", positive, REQUIRED, "width of a slice", unit="pixels")
    height: int = parameter("Height", positive, REQUIRED, "height of a slice", unit="pixels")
    stride_x: int = parameter("StrideX", positive, REQUIRED, "from one column of slices to the next", unit="pixels")
    stride_y: int = parameter("StrideY", positive, REQUIRED, "from one row of slices to the next", unit="pixels")
    apply_to: str = parameter("ApplyTo", one_of(*APPLY_TO), REQUIRED, "sets whose images are cut")
    random_shuffle: bool = parameter("RandomShuffle", boolean, True, "1: the sets are shuffled afterwards")
    overlapping: bool = parameter(
        "Overlapping", boolean, False, "1: slices at the edges are moved inwards; what is seen twice is ignored once"
    )

    def change(self, content: Content, generator: Generator) -> None:
        """The first slice takes the place of the stimulus; the ids of the others are new, at the end of the set."""
        for name in APPLY_TO[self.apply_to]:
            members = content.partition.sets[name]
            added: list[int] = []
            for stimulus in list(members):
                added += self._cut(content, stimulus)
            members += added
            if self.random_shuffle:
                generator.shuffle(members)

    def _cut(self, content: Content, stimulus: int) -> list[int]:
        width, height = content.image_size(stimulus)
        slices: list[Slice] = []
        seen: list[tuple[int, int]] = []
        for x in range(0, width, self.stride_x):
            for y in range(0, height, self.stride_y):
                left, top = x, y
                if self.overlapping:
                    left, top = min(x, max(0, width - self.width)), min(y, max(0, height - self.height))
                slices.append((left, top, min(self.width, width - left), min(self.height, height - top)))
                seen.append((x - left, y - top))
        rois = content.rois.get(stimulus, ())
        numbers = [stimulus, *content.cut(stimulus, slices)]
        for number, (left, top, columns, rows), (band_x, band_y) in zip(numbers, slices, seen, strict=True):
            inside = cropped(rois, left, top, columns, rows) if rois else ()
            bands = (
                *((rectangle(IGNORE, left, top, left + band_x, top + rows),) if band_x else ()),
                *((rectangle(IGNORE, left, top, left + columns, top + band_y),) if band_y else ()),
            )
            content.rois[number] = (*(rois if inside else ()), *bands)
            if not content.rois[number]:
                del content.rois[number]
        return numbers[1:]


_SECTIONS: dict[str, Callable[..., Record]] = {
    "sortAndDropLabels": SortAndDropLabels,
    "filterROIs": FilterRois,
    "slicing": Slicing,
}


def read_selections(document: Document, section: str) -> list[Selection]:
    """What the sections below ``[database]`` ask for, in N2D2's order; any unknown key is an error."""
    found: list[Selection] = []
    for kind, record in _SECTIONS.items():
        name = f"{section}.{kind}"
        if name in document.sections:
            scope = document.scope(name)
            found.append(read(record, scope))  # type: ignore[arg-type]
            scope.close(strict=True)
    return found
