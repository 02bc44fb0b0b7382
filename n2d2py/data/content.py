"""What a database holds once it is loaded: stimuli by id, their labels, regions, names and sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data import channels, labelling, readers
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.names import Paths
from n2d2py.data.partition import SETS, Partition
from n2d2py.data.random import Generator
from n2d2py.data.rois import Roi, cropped
from n2d2py.data.stock import Block, Files, Stock
from n2d2py.errors import DataError, Place

Slice = tuple[int, int, int, int]
"""A part of an image: left, top, width, height."""

_TRIED = 20  # stimuli that may be bad before the depth of the database is unknown


@dataclass(frozen=True)
class Loading:
    """How the stimuli of a database become images and labels: its options that concern single stimuli."""

    default_label: str = ""
    rois_margin: int = 0
    composite_label: str = "Auto"
    target_folder: Path | None = None
    channel_match: str = ""
    channel_names: tuple[str, ...] = ()


class Content:
    """Stimuli by id, in the order of loading: images in memory or files, a label each, and the sets.

    ``label_names`` are the names that exist before any stimulus does; others get the next id at first use. A
    label of -1 is ignored. ``in_memory``: files are read once and kept.
    """

    def __init__(
        self,
        generator: Generator,
        random: bool = True,
        label_names: Sequence[str] = (),
        loading: Loading | None = None,
        in_memory: bool = False,
    ) -> None:
        self.stock = Stock()
        self.labels: NDArray[np.int64] = np.empty(0, np.int64)
        self.label_names = list(label_names)
        self.partition = Partition(generator, random)
        self.loading = loading or Loading()
        self.in_memory = in_memory
        self.rois: dict[int, tuple[Roi, ...]] = {}
        self.slices: dict[int, Slice] = {}
        self.targets_are_regions = False
        """Whether target data are the borders of regions where TargetDataPath is not given."""
        self._ids = {name: index for index, name in reversed(list(enumerate(self.label_names)))}
        self._depth: np.dtype[Any] | None = None
        if self.loading.default_label:
            self.label_id(self.loading.default_label)

    def __len__(self) -> int:
        return len(self.labels)

    # ------------------------------------------------------------------------------------------- loading

    def append(
        self,
        images: NDArray[Any],
        numbers: NDArray[np.integer],
        stem: str,
        names: Sequence[str] | None = None,
        suffix: str = ".pgm",
        rows: Sequence[int] | None = None,
    ) -> range:
        """More stimuli in memory, in no set yet; ``images`` has 3 or 4 axes. Returns their ids.

        The name of a label is its decimal number, or ``names`` at that index; -1 is no label. A stimulus is called
        ``stem[index]suffix``, ``rows`` giving other numbers than the index.
        """
        if images.ndim == 3:
            images = images[..., np.newaxis]
        distinct, positions = np.unique(numbers, return_index=True)
        identity = {}
        for number in distinct[np.argsort(positions)].tolist():
            if number == IGNORE:
                identity[number] = IGNORE
            else:
                identity[number] = self.label_id(str(number) if names is None else names[number])
        ids = np.array([identity[number] for number in distinct.tolist()], np.int64)
        labels = ids[np.searchsorted(distinct, numbers)] if len(numbers) else ids
        return self._enter(Block(images, stem, len(self.labels), suffix, rows), labels)

    def add_files(
        self,
        paths: Iterable[str | Path],
        labels: Sequence[str | None],
        rois: Sequence[tuple[Roi, ...]] | None = None,
    ) -> range:
        """More stimuli that are files, in no set yet. Returns their ids.

        ``labels``: the name of the label of each; None is the label -1. ``rois``: the regions of each.
        """
        files = Files([str(path) for path in paths], len(self.labels))
        if len(files) != len(labels) or (rois is not None and len(files) != len(rois)):
            raise ValueError(f"{len(files)} paths, {len(labels)} labels")
        ids = [IGNORE if name is None else self.label_id(name) for name in labels]
        entered = self._enter(files, np.array(ids, np.int64))
        for stimulus, regions in zip(entered, rois or (), strict=False):
            if regions:
                self.rois[stimulus] = tuple(regions)
        return entered

    def add_listed(
        self, paths: Paths, labels: NDArray[np.int64], rois: Mapping[str, Sequence[Roi]] | None = None
    ) -> range:
        """As :meth:`add_files`, with the ids of the labels and the regions of the paths that have any."""
        entered = self._enter(Files(paths, len(self.labels)), labels)
        if rois:
            for stimulus, path in zip(entered, paths, strict=True):
                if found := rois.get(path):
                    self.rois[stimulus] = tuple(found)
        return entered

    def _enter(self, part: Block | Files, labels: NDArray[np.int64]) -> range:
        entered = range(len(self.labels), len(self.labels) + len(labels))
        self.stock.add(part)
        self.labels = np.concatenate([self.labels, labels])
        self.partition.add(entered)
        return entered

    def label_id(self, name: str) -> int:
        """The id of a label, which begins to exist if it did not."""
        if name not in self._ids:
            self._ids[name] = len(self.label_names)
            self.label_names.append(name)
        return self._ids[name]

    def keep_labels(self, kept: Sequence[int]) -> None:
        """Drop all other labels, with their stimuli and regions; the ids of those that are kept close up."""
        new = np.full(len(self.label_names) + 1, IGNORE, np.int64)  # the last entry is that of label -1
        new[list(kept)] = np.arange(len(kept))
        dropped = (self.labels >= 0) & (new[self.labels] < 0)
        self.label_names = [self.label_names[label] for label in kept]
        self._ids = {name: index for index, name in reversed(list(enumerate(self.label_names)))}
        self.labels = new[self.labels]
        for stimulus, rois in self.rois.items():
            left = [roi for roi in rois if roi.label < 0 or new[roi.label] >= 0]
            self.rois[stimulus] = tuple(replace(roi, label=int(new[roi.label])) for roi in left)
        self.partition.keep(set(np.flatnonzero(~dropped).tolist()))

    def split_per_label(
        self, learn: float, validation: float, test: float, equal: bool, place: Place | None = None
    ) -> None:
        """See :meth:`Partition.split_per_label`, for all labels that exist."""
        self.partition.split_per_label(learn, validation, test, equal, self.labels, len(self.label_names), place)

    def extend(self, other: Content) -> None:
        """The stimuli of another database behind those of this one, in their sets, with labels of their own.

        Ids of stimuli and labels are moved up; labels of one name remain different ones.
        """
        stimuli, labels = len(self.labels), len(self.label_names)
        self.stock.extend(other.stock, stimuli)
        self.labels = np.concatenate([self.labels, np.where(other.labels >= 0, other.labels + labels, IGNORE)])
        self.label_names += other.label_names
        for index, name in enumerate(other.label_names, labels):
            self._ids.setdefault(name, index)
        for stimulus, regions in other.rois.items():
            self.rois[stimulus + stimuli] = tuple(
                replace(roi, label=roi.label + labels if roi.label >= 0 else roi.label) for roi in regions
            )
        self.slices.update({stimulus + stimuli: part for stimulus, part in other.slices.items()})
        for name in SETS:
            self.partition.sets[name] += [stimulus + stimuli for stimulus in other.partition.sets[name]]
        self.partition.unpartitioned += [stimulus + stimuli for stimulus in other.partition.unpartitioned]

    def cut(self, stimulus: int, slices: Sequence[Slice]) -> list[int]:
        """Replace a stimulus by slices of it: it becomes the first one, the ids of the others are new and returned."""
        self.slices[stimulus] = slices[0]
        first = len(self.labels)
        added = list(range(first, first + len(slices) - 1))
        if added:
            self.stock.add_cut(first, len(added), stimulus)
            self.labels = np.concatenate([self.labels, np.full(len(added), self.labels[stimulus])])
        for number, part in zip(added, slices[1:], strict=True):
            self.slices[number] = part
            if stimulus in self.rois:
                self.rois[number] = self.rois[stimulus]
        return added

    # -------------------------------------------------------------------------------------------- asking

    def size(self, name: str) -> int:
        """Stimuli in the set called ``name``."""
        return len(self.partition.sets[name])

    def ids(self, name: str) -> NDArray[np.int64]:
        """Ids of the stimuli of a set, in the set's order."""
        if name not in SETS:
            raise ValueError(f"there is no set {name!r}, only {', '.join(SETS)}")
        return np.array(self.partition.sets[name], np.int64)

    def stimulus_labels(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of some stimuli; of one that is cropped to its region, the region's."""
        labels = self.labels[ids]
        if self.loading.composite_label == "Auto" and self.rois:
            for place, stimulus in enumerate(ids.tolist()):
                own = [roi.label for roi in self.rois.get(stimulus, ()) if roi.label >= 0]
                if labels[place] >= 0 and own:
                    labels[place] = own[0]
        return labels

    def name(self, stimulus: int) -> str:
        """The name of the stimulus of that id."""
        part, index = self.stock.find(stimulus)
        return part.name(index)

    def plain(self) -> bool:
        """Whether every stimulus is an image in memory with one label, so that many are taken at once."""
        return (
            all(isinstance(part, Block) for part in self.stock.parts)
            and not self.rois
            and not self.slices
            and self.loading.target_folder is None
            and not self.composite
            and len({part.images.dtype for part in self.stock.blocks}) <= 1
        )

    @property
    def composite(self) -> bool:
        """Whether some stimulus has a label a pixel."""
        if self.loading.composite_label in ("None", "Auto"):
            return self.loading.composite_label == "Auto" and bool((self.labels < 0).any())
        return True

    @property
    def depth(self) -> np.dtype[Any]:
        """The type of the values of all images: that of the first stimulus, to which others are converted.

        Where it cannot be read the next one decides, and so on; raises its :class:`DataError` if none of a few can.
        """
        if self._depth is None:
            self._depth = self._first_depth() if len(self.labels) else np.dtype(np.uint8)
        return self._depth

    def _first_depth(self) -> np.dtype[Any]:
        first: DataError | None = None
        for stimulus in range(min(len(self.labels), _TRIED)):
            try:
                return self._image(stimulus).dtype
            except DataError as error:
                first = first or error
        assert first is not None  # there is a stimulus
        raise first

    # ------------------------------------------------------------------------------------------- reading

    def frame(self, stimulus: int) -> Frame:
        """A stimulus as it enters the transformations: image, labels, regions.

        Raises :class:`DataError` that names a file that cannot be read.
        """
        image = channels.to_depth(self._image(stimulus), self.depth)
        label, rois = int(self.labels[stimulus]), self.rois.get(stimulus, ())
        if self.loading.composite_label == "Auto" and label >= 0 and rois:
            image, label = labelling.cropped_to_region(image, label, rois, self.name(stimulus))
            rois = ()
        left, top, width, height = self.slices.get(stimulus, (0, 0, image.shape[1], image.shape[0]))
        labels = labelling.labels_of(
            label,
            cropped(rois, left, top, width, height) if stimulus in self.slices else rois,
            (height, width),
            self.loading.composite_label,
            self._ids.get(self.loading.default_label, IGNORE) if self.loading.default_label else IGNORE,
            self.loading.rois_margin,
        )
        if stimulus in self.slices:
            image = image[top : top + height, left : left + width]
            rois = cropped(rois, left, top, width, height)
        return Frame(image, labels, rois, stimulus)

    def target(self, stimulus: int) -> NDArray[Any] | None:
        """The image of TargetDataPath with the name of the stimulus's file; None without that folder."""
        if self.loading.target_folder is None:
            return None
        return readers.read(str(self.loading.target_folder / Path(self.name(stimulus)).name))

    def files_of(self, stimulus: int) -> list[str]:
        """The files that the image of a stimulus is read from; none for one in memory."""
        part, index = self.stock.find(stimulus)
        if isinstance(part, Block):
            return []
        path, loading = part.paths[index], self.loading
        others = channels.paths(path, loading.channel_match, loading.channel_names) if loading.channel_match else []
        return [path, *others]

    def image_size(self, stimulus: int) -> tuple[int, int]:
        """(width, height) of the image of a stimulus before any crop; of a file from its header."""
        part, index = self.stock.find(stimulus)
        if isinstance(part, Block):
            return part.images.shape[2], part.images.shape[1]
        return readers.size(part.paths[index])

    def _image(self, stimulus: int) -> NDArray[Any]:
        """The image as the file holds it, (height, width, channels)."""
        part, index = self.stock.find(stimulus)
        if isinstance(part, Block):
            return part.images[index]
        if index in part.kept:
            return part.kept[index]
        path = part.paths[index]
        image = readers.read(path)
        if self.loading.channel_match:
            image = channels.merge(path, image, self.loading.channel_match, self.loading.channel_names)
        if self.in_memory:
            part.kept[index] = image
        return image
