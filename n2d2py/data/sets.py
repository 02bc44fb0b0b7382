"""The stimuli of one set as batches: kept in memory where they fit, else read and transformed each time.

Both kinds make the same batches: the random streams of an image depend on its place in the pass and on nothing
else, neither on who computes it nor on what is computed beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.batch import Batch, Made
from n2d2py.data.cache import Cache
from n2d2py.data.compared import TargetData
from n2d2py.data.content import Content
from n2d2py.data.draws import Draws
from n2d2py.data.faults import Faults
from n2d2py.data.frame import Frame
from n2d2py.data.plan import Plan
from n2d2py.data.rois import boxes
from n2d2py.errors import DataError, N2d2Error, Place
from n2d2py.quant.grid import Coded

TASK = 4
"""Images that a worker does at a time."""

Job = tuple[NDArray[np.int64], Draws]
"""A batch to make: positions in the order of the set, and the random streams of each."""

Pending = Callable[[], Iterable[Made]]
"""Batches that may still be computed: calling it gives them, or makes one after the other."""


@dataclass(frozen=True)
class Shape:
    """What a stimulus must be in the end: width, height, channels, depth; and whether it has a label a pixel."""

    width: int
    height: int
    channels: int
    depth: int = 1
    composite: bool = False
    place: Place | None = None

    @property
    def planes(self) -> int:
        """Channels of the image that holds all depths."""
        return self.channels * self.depth

    def fits(self, image: tuple[int, ...], labels: tuple[int, ...]) -> bool:
        """Whether an image (height, width, planes) and its labels have the right shapes."""
        size = (self.height, self.width)
        return image == (*size, self.planes) and labels == (size if self.composite else (1, 1))

    def check(self, image: tuple[int, ...], labels: tuple[int, ...], name: str) -> None:
        """Raise :class:`DataError`, naming the stimulus, unless image and labels have the right shapes."""
        height, width, planes = image
        if (width, height, planes) != (self.width, self.height, self.planes):
            found = f"SizeX={width} SizeY={height} NbChannels={planes}"
            raise DataError(
                f"expected data size of stimulus {name} is {self.width}x{self.height}x{self.planes}, "
                f"but its size after transformations is {width}x{height}x{planes}",
                place=self.place,
                expected="width x height x channels of the stimuli's section, after all transformations",
                remedy=f"write {found}, or add a RescaleTransformation or a PadCropTransformation",
            )
        if labels != ((self.height, self.width) if self.composite else (1, 1)):
            raise DataError(
                f"stimulus {name} has labels of {labels[1]}x{labels[0]}"
                + (", one label a pixel is wanted" if self.composite else ", one label is wanted"),
                place=self.place,
                expected=f"labels of {self.width}x{self.height}" if self.composite else "one label a stimulus",
                remedy="CompositeStimuli=0 or an ExpandLabelTransformation"
                if self.composite
                else "CompositeStimuli=1, or CompositeLabel=None in the section of the database",
            )


class StimuliSet:
    """The stimuli of the set ``name``, of which ``position`` is the place in the set's order."""

    def __init__(
        self,
        name: str,
        content: Content,
        plan: Plan,
        shape: Shape,
        faults: Faults,
        cache: Cache | None,
        device: torch.device,
        compared: TargetData | None = None,
        with_regions: bool = False,
    ) -> None:
        self.name = name
        self.ids = content.ids(name)
        self.plan = plan
        self._content = content
        self._shape = shape
        self._faults = faults
        self._cache = cache
        self._device = device
        self._compared = compared
        self._with_regions = with_regions

    def together(self, batch_size: int, at_once: bool) -> int:
        """How many batches to begin at a time; ``at_once``: they are made then, not one by one when they are used."""
        return 1

    def start(self, jobs: Sequence[Job], workers: Executor | None) -> Pending:
        """Begin to make some batches."""
        raise NotImplementedError

    def frame(self, position: int, draws: Draws) -> Frame:
        """One stimulus, made as a batch makes it, from its file on. Raises :class:`DataError` for a bad one."""
        stimulus = int(self.ids[position])
        if self._cache is None:
            frame = self.plan.whole(self._content.frame(stimulus), draws)
        else:
            frame = self.plan.finish(self._begun(stimulus, draws), draws)
        self.check(frame)
        return frame

    def check(self, frame: Frame) -> None:
        """Raise :class:`DataError` unless a stimulus has the right size."""
        if not self._shape.fits(frame.image.shape, frame.labels.shape):  # its name is looked up only then
            name = f"{self._content.name(frame.stimulus)} ({self.name})"
            self._shape.check(frame.image.shape, frame.labels.shape, name)

    def begun(self, position: int, draws: Draws) -> Frame | None:
        """What is done once to a stimulus; None if it is bad."""
        return self._made(position, draws, lambda place, own: self._begun(int(self.ids[place]), own))

    def _begun(self, stimulus: int, draws: Draws) -> Frame:
        if self._cache is None:
            return self.plan.begin(self._content.frame(stimulus), draws)
        frame = self._cache.find(stimulus)
        if frame is None:
            frame = self.plan.begin(self._content.frame(stimulus), draws)
            self._cache.keep(frame)
        return frame

    def _made(self, position: int, draws: Draws, make: Callable[[int, Draws], Frame]) -> Frame | None:
        """What ``make`` gives for a position; None for a stimulus that is bad, which is not tried again."""
        stimulus = int(self.ids[position])
        if stimulus in self._faults:
            return None
        try:
            return make(position, draws)
        except N2d2Error as error:
            self._faults.add(stimulus, self._content.name(stimulus), error, len(self.ids))
            return None

    def _batch(
        self,
        ids: NDArray[np.int64],
        planes: Tensor,
        labels: Tensor,
        targets: Tensor | None = None,
        regions: tuple[Tensor, ...] | None = None,
    ) -> Made:
        """``planes``: (count, channels, height, width) before the conversion to what enters the network."""
        held = planes.to(self._device, non_blocking=True)
        return self._with_codes(ids, self.plan.conversion.inputs(held), labels, lambda: held, targets, regions)

    def _with_codes(
        self,
        ids: NDArray[np.int64],
        inputs: Tensor,
        labels: Tensor,
        held: Callable[[], Tensor],
        targets: Tensor | None = None,
        regions: tuple[Tensor, ...] | None = None,
    ) -> Batch:
        """A batch of these inputs; ``held`` gives what they were made from, of which codes are made when asked for."""
        conversion = self.plan.conversion

        def coding() -> Coded:
            codes = conversion(held())[1]
            assert codes is not None  # there is a grid
            return Coded(self._deep(codes.values), codes.grid)

        return Batch(
            ids,
            self._deep(inputs),
            labels if labels.device == self._device else labels.to(self._device, non_blocking=True),
            None if targets is None else targets.to(self._device, non_blocking=True),
            regions,
            coding if conversion.grid is not None else None,
        )

    def _deep(self, values: Tensor) -> Tensor:
        """With the depth of the stimuli as an axis of its own, if they have one."""
        return values if self._shape.depth == 1 else values.unflatten(1, (self._shape.channels, self._shape.depth))


_HELD: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.uint16): np.dtype(np.int32),
    np.dtype(np.float64): np.dtype(np.float32),
}


def held_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which torch can hold values of ``dtype`` exactly, or as they enter the network."""
    return _HELD.get(dtype, dtype)


def regions_of(frame: Frame) -> Tensor:
    """The labelled regions of a stimulus as a batch has them, (regions, 5)."""
    height, width = frame.image.shape[:2]
    return torch.from_numpy(boxes(frame.rois, width, height))


class Streamed(StimuliSet):
    """Stimuli that are made anew for each batch, image by image."""

    def start(self, jobs: Sequence[Job], workers: Executor | None) -> Pending:
        begun = [self._start(positions, draws, workers) for positions, draws in jobs]
        return lambda: [result() for result in begun]

    def _start(self, positions: NDArray[np.int64], draws: Draws, workers: Executor | None) -> Callable[[], Made]:
        shape = (len(positions), self._shape.planes, self._shape.height, self._shape.width)
        planes = np.empty(shape, held_dtype(self.plan.dtype))
        size = (shape[2], shape[3]) if self._shape.composite else ()
        labels = np.full((len(positions), *size), -1, np.int64)
        good = np.zeros(len(positions), np.bool_)
        targets = None if self._compared is None else np.empty((len(positions), *self._compared.shape), np.float32)
        regions: list[Tensor | None] | None = [None] * len(positions) if self._with_regions else None

        def do(first: int) -> None:
            for index in range(first, min(first + TASK, len(positions))):
                frame = self._made(
                    int(positions[index]), draws.image(index), partial(self._with_targets, targets, index)
                )
                if frame is not None:
                    planes[index] = frame.image.transpose(2, 0, 1)
                    labels[index] = frame.labels if size else frame.labels[0, 0]
                    if regions is not None:
                        regions[index] = regions_of(frame)
                    good[index] = True

        firsts = range(0, len(positions), TASK)
        running = [workers.submit(do, first) for first in firsts] if workers is not None else None

        def result() -> Made:
            if running is None:
                for first in firsts:
                    do(first)
            else:
                for task in running:
                    task.result()
            rows = slice(None) if good.all() else good
            return self._batch(
                self.ids[positions][rows],
                torch.from_numpy(planes[rows]),
                torch.from_numpy(labels[rows]),
                None if targets is None else torch.from_numpy(targets[rows]),
                None if regions is None else tuple(one for one in regions if one is not None),
            )

        return result

    def _with_targets(self, targets: NDArray[np.float32] | None, index: int, position: int, draws: Draws) -> Frame:
        """As :meth:`frame`; the target data of the stimulus become row ``index`` of ``targets``."""
        frame = self.frame(position, draws)
        if targets is not None and self._compared is not None:
            targets[index] = self._compared.read(frame)
        return frame
