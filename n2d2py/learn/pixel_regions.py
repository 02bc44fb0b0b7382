"""TargetROIs at work: it learns pixel by pixel, and a test counts the regions that connected pixels make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.errors import LearningError
from n2d2py.learn import labels, matching
from n2d2py.learn.detection import stacked, unstacked
from n2d2py.learn.regions import Regions
from n2d2py.learn.targets import NONE, Comparison, Judged, at_outputs
from n2d2py.parts.targets import Target, TargetROIs

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.graph.network import Network

Boxes = list[tuple[float, float, float, float, int]]
"""x, y, width, height, label of each."""


class Naming(NamedTuple):
    """Another target, which says of what label a region is, and the output of each label there."""

    target: Target
    outputs: int
    lookup: NDArray[np.int64] | None


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelRegions(Comparison):
    """TargetROIs. ``background`` is the class of which no region is made (-1: there is none).

    ``regions``: those of the database, if they are wanted; ``naming``: the target of ROIsLabelTarget; ``size``: width
    and height of the stimuli.
    """

    target: TargetROIs
    background: int
    size: tuple[int, int]
    regions: Regions | None = None
    naming: Naming | None = None

    @property
    def classes(self) -> int:
        return max(self.outputs if self.naming is None else self.naming.outputs, 2)

    @property
    def has_none(self) -> bool:
        return True

    @property
    def counts_unlabelled(self) -> bool:
        return True

    @property
    def needs_values(self) -> bool:
        return super().needs_values or self.naming is not None

    @property
    def cells(self) -> list[str]:
        named = [] if self.naming is None else [self.naming.target.cell]
        return list(dict.fromkeys([*super().cells, *named]))

    def check_set(self, stimuli: Stimuli, name: str) -> None:
        super().check_set(stimuli, name)
        if self.regions is not None:
            self.regions.check(stimuli, name)

    def tested(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The regions that are there, (regions, 6): stimulus, x, y, width, height, class."""
        if self.regions is not None:
            return stacked(self.regions.of(batch.regions))
        known = pixels(self.labels(batch.labels, outputs[self.target.cell]))
        found = [self._boxes(one) for one in known]
        if self.naming is not None:
            named = pixels(self._named(batch.labels, outputs[self.naming.target.cell]))
            found = [
                [(*box[:4], self._most(box, one)) for box in boxes] for boxes, one in zip(found, named, strict=True)
            ]
        return stacked([torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5) for boxes in found])

    def judge(self, outputs: Mapping[str, Tensor], labels: Tensor, data: Tensor) -> Judged:
        """``labels`` are those of :meth:`tested`."""
        maps = pixels(self.estimated(outputs))
        boxes = [self._boxes(one) for one in maps]
        best = None
        if self.naming is not None:
            best = [self._best(own, outputs[self.naming.target.cell][row]) for row, own in enumerate(boxes)]
            boxes = [
                [(*box[:4], int(first)) for box, first in zip(own, ranked[:, 0], strict=True)]
                for own, ranked in zip(boxes, best, strict=True)
            ]
        found = [torch.tensor([(*box, np.nan) for box in own], dtype=torch.float32).reshape(-1, 6) for own in boxes]
        return matching.judged(unstacked(labels, len(found)), found, self.target.min_overlap, best)

    def _boxes(self, known: NDArray[np.int64]) -> Boxes:
        """The regions of a map of classes (height, width), in pixels of the stimuli."""
        target, (height, width) = self.target, known.shape
        across, down = self.size[0] / width, self.size[1] / height
        found: Boxes = []
        for label in np.unique(known):
            if label < 0 or label == self.background:
                continue
            parts = [
                (x * across, y * down, columns * across, rows * down)
                for x, y, columns, rows, area in components(known == label)
                if area * across * down >= target.min_size
            ]
            found += [(*box, int(label)) for box in merged(parts, target.merge_max_h_dist, target.merge_max_v_dist)]
        return [box for box in found if self._passes(box[2], box[3])]

    def _passes(self, width: float, height: float) -> bool:
        target, ratio = self.target, width / height
        return (
            width >= target.filter_min_width
            and height >= target.filter_min_height
            and ratio >= target.filter_min_aspect_ratio
            and (not target.filter_max_aspect_ratio or ratio <= target.filter_max_aspect_ratio)
        )

    def _named(self, known: Tensor, output: Tensor) -> Tensor:
        """The labels of pixels as the naming target has them."""
        assert self.naming is not None
        naming = self.naming
        own = Comparison(naming.target, naming.outputs, naming.lookup)
        return own.labels(known, output)

    def _most(self, box: tuple[float, ...], known: NDArray[np.int64]) -> int:
        """The label that most pixels in a box have; -1 if none has any."""
        inside = known[self._slices(box, known.shape)].ravel()
        inside = inside[inside >= 0]
        return int(np.bincount(inside).argmax()) if len(inside) else NONE

    def _best(self, boxes: Boxes, output: Tensor) -> NDArray[np.int64]:
        """For each box the classes of the ScoreTopN largest outputs, of their means over the box, (boxes, n)."""
        assert self.naming is not None
        values = output.detach().double().cpu().numpy()
        values = values.reshape(len(values), *(values.shape[1:] if values.ndim > 1 else (1, 1)))
        ranked = np.zeros((len(boxes), min(self.target.score_top_n, self.classes)), np.int64)
        for index, box in enumerate(boxes):
            rows, columns = self._slices(box, values.shape[1:])
            mean = values[:, rows, columns].mean(axis=(1, 2))
            if len(mean) == 1:
                mean = np.array([0.0, mean[0] - self.naming.target.binary_threshold])
            ranked[index] = np.argsort(-mean, kind="stable")[: ranked.shape[1]]
        return ranked

    def _slices(self, box: tuple[float, ...], shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of a map of ``shape`` that a box covers, one at least."""
        return (
            _covered(box[1], box[3], shape[0] / self.size[1], shape[0]),
            _covered(box[0], box[2], shape[1] / self.size[0], shape[1]),
        )

    def estimated(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """The estimated class of each pixel; -1 where there is no answer."""
        judged = Comparison.judge(self, outputs, _nothing(outputs[self.target.cell]), outputs[self.target.cell])
        return judged.estimated


def _covered(start: float, length: float, ratio: float, size: int) -> slice:
    """What an interval times ``ratio`` covers of ``size`` places."""
    first = min(int(start * ratio), size - 1)
    return slice(first, max(int(np.ceil((start + length) * ratio)), first + 1))


def _nothing(output: Tensor) -> Tensor:
    return at_outputs(torch.full((len(output),), NONE, device=output.device), output)


def pixels(classes: Tensor) -> list[NDArray[np.int64]]:
    """Maps (height, width) of classes (batch,) or (batch, height, width)."""
    table: NDArray[np.int64] = classes.cpu().numpy()
    return list(table.reshape(-1, 1, 1) if table.ndim == 1 else table)


def components(inside: NDArray[np.bool_]) -> list[tuple[int, int, int, int, int]]:
    """x, y, width, height and number of pixels of each connected part of a map, neighbours touching at corners too."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    return [(int(x), int(y), int(w), int(h), int(area)) for x, y, w, h, area in stats[1:].tolist()]


def merged(
    boxes: Sequence[tuple[float, float, float, float]], across: float, down: float
) -> list[tuple[float, float, float, float]]:
    """Boxes of which those that are no more than that far apart, across and down, have become one, again and again."""
    left = list(boxes)
    found: list[tuple[float, float, float, float]] = []
    while left:
        x, y, width, height = left.pop(0)
        near = [
            index
            for index, (u, v, columns, rows) in enumerate(left)
            if max(u - x - width, x - u - columns) < across and max(v - y - height, y - v - rows) < down
        ]
        if not near:
            found.append((x, y, width, height))
            continue
        group = [(x, y, width, height), *(left[index] for index in near)]
        left = [box for index, box in enumerate(left) if index not in near]
        first, top = min(box[0] for box in group), min(box[1] for box in group)
        last, bottom = max(box[0] + box[2] for box in group), max(box[1] + box[3] for box in group)
        left.insert(0, (first, top, last - first, bottom - top))
    return found


def comparison(
    target: TargetROIs,
    outputs: int,
    lookup: NDArray[np.int64] | None,
    mask: Target | None,
    graph: Network,
    stimuli: Stimuli,
) -> PixelRegions:
    """A TargetROIs at work; raises :class:`LearningError` for a target of labels that does not suit it."""
    naming = None
    if target.rois_label_target:
        (named,) = (other for other in graph.targets if other.name == target.rois_label_target)
        own = labels.lookup(named, stimuli.label_names)
        naming = Naming(named, graph[named.cell].output.channels, own)
        if named.wants_regions or named.data_as_target:
            raise LearningError(
                f"target {target.name} cannot take labels of regions from target {named.name}",
                place=target.place("rois_label_target"),
                expected="a target of classes, such as TargetScore",
            )
    count = outputs if naming is None else naming.outputs
    regions = None
    if not target.generate_labels_rois:
        stimuli.give_regions()
        known = lookup if naming is None else naming.lookup
        if known is None:
            known = np.append(np.arange(len(stimuli.label_names)), NONE)
        names = tuple(map(str, range(max(count, 2))))
        regions = Regions(known, names, f"target {target.name}", target.place())
    background = _background(outputs, lookup, stimuli.default_label)
    size = (graph.stimuli.width, graph.stimuli.height)
    return PixelRegions(
        target=target, outputs=outputs, lookup=lookup, mask=mask, background=background, size=size, regions=regions,
        naming=naming,
    )  # fmt: skip


def _background(outputs: int, lookup: NDArray[np.int64] | None, default: int) -> int:
    """The class of what is in no region; -1 if there is none."""
    if lookup is not None and lookup[-1] >= 0:
        return int(lookup[-1])
    if default >= 0:
        return default if lookup is None else int(lookup[default])
    return 0 if outputs == 1 else NONE
