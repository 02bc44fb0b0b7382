"""The learning, validation and test sets, and the batches in which a network sees them.

Some batches are begun ahead of the network, by worker threads: OpenCV and NumPy work outside of Python's lock.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py import console, registry
from n2d2py.data.batch import Batch, Made
from n2d2py.data.chain import Pipelines
from n2d2py.data.compared import TargetData
from n2d2py.data.content import Content
from n2d2py.data.conversion import Quantization, byte_table
from n2d2py.data.draws import Draws
from n2d2py.data.faults import Faults
from n2d2py.data.feeding import feed
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.held import Held
from n2d2py.data.partition import SETS
from n2d2py.data.pipeline import Pipeline
from n2d2py.data.preparing import Sets
from n2d2py.data.random import Generator
from n2d2py.data.sets import Job, Pending, Shape, StimuliSet
from n2d2py.errors import Place
from n2d2py.parts.provider import Provider
from n2d2py.quant.grid import Grid

__all__ = ["Batch", "Stimuli"]

_AHEAD = 3  # batches, or groups of small ones, that are begun before the first of them is used

Part = tuple[int, int]
"""One of several parts of each batch: its number, from 0, and how many there are."""
WHOLE: Part = (0, 1)


class Stimuli:
    """The learning, validation and test sets of a database, transformed, on ``device``.

    ``workers``: threads that make batches; 0: none, each batch is made when it is asked for. The batches are the same
    for any number. ``seed`` is that of random transformations outside of learning. ``cache``: folder of CachePath.
    """

    def __init__(
        self,
        content: Content,
        pipelines: Pipelines,
        provider: Provider,
        quantization: Quantization | None = None,
        device: torch.device | str = "cpu",
        *,
        workers: int | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        cache: tuple[Path, Place | None] | None = None,
    ) -> None:
        self.dims = provider.dims
        self.batch_size = provider.batch_size
        self.faults = faults or Faults()
        self._content = content
        self._pipelines = pipelines
        self._device = torch.device(device)
        self._seed = seed
        made = len(next(iter(pipelines.values())).channels) if pipelines else 0
        width, height, channels = provider.dims
        place = provider.place("size") if provider.size is not None else provider.place("size_x")
        self._compared = TargetData(content, provider) if provider.target_dims is not None else None
        self._shape = Shape(width, height, made or channels, provider.depth, provider.composite_stimuli, place)
        self._sets = Sets(
            content,
            pipelines,
            self._shape,
            self.faults,
            signed=provider.data_signed_mapping,
            quantization=quantization,
            device=self._device,
            workers=workers,
            cache=cache,
            compared=self._compared,
        )
        if made:
            self.dims = (width, height, made)

    # -------------------------------------------------------------------------------------------- asking

    @property
    def label_names(self) -> list[str]:
        """Names of the labels; the index is the label's id."""
        return self._content.label_names

    @property
    def content(self) -> Content:
        """The database."""
        return self._content

    @property
    def composite(self) -> bool:
        """Whether there is a label a pixel."""
        return self._shape.composite

    def size(self, name: str) -> int:
        """Stimuli in the set called Learn, Validation or Test."""
        return self._content.size(name)

    def name(self, stimulus: int) -> str:
        """The name of the stimulus of that id: its file."""
        return self._content.name(stimulus)

    def ids(self, name: str) -> NDArray[np.int64]:
        """Ids of the stimuli of a set, in its order."""
        return self._content.ids(name)

    def labels(self, name: str) -> NDArray[np.int64]:
        """Labels of the stimuli of a set, in its order; -1 where a stimulus has a label a pixel."""
        return self._content.stimulus_labels(self._content.ids(name))

    @property
    def default_label(self) -> int:
        """The label of what is in no region (DefaultLabel); -1 if there is none."""
        default = self._content.loading.default_label
        return self.label_names.index(default) if default in self.label_names else IGNORE

    def region_labels(self, name: str) -> NDArray[np.int64]:
        """The labels of all regions of a set before any transformation; none of stimuli that are cropped to theirs."""
        content = self._content
        if not content.rois:
            return np.empty(0, np.int64)
        crops = content.loading.composite_label == "Auto"
        found = [
            roi.label
            for stimulus in content.ids(name).tolist()
            if not (crops and content.labels[stimulus] >= 0)
            for roi in content.rois.get(stimulus, ())
            if roi.label >= 0
        ]
        return np.array(found, np.int64)

    def give_regions(self) -> None:
        """From now on batches have the labelled regions of their stimuli, moved as the images are."""
        if not self._sets.with_regions:
            self._sets.give_regions()
            left = {id(step): step for one in self._pipelines.values() for step in one.all_steps if step.leaves_regions}
            for step in left.values():
                kind = registry.name_of("transformation", type(step))
                console.warning(f"{kind} moves pixels and not the regions of stimuli, at: {step.place()}")

    def grid(self, name: str) -> Grid | None:
        """The grid on which the inputs of a set lie; None if they are real values."""
        return self._sets.plan(name).conversion.grid

    def byte_table(self, name: str, channels: int) -> Tensor | None:
        """The real values (channels, 256) of the bytes of a set, where its chain is a function of single bytes."""
        return byte_table(self._sets.plan(name).conversion, channels)

    def scales_implicitly(self, name: str) -> bool:
        """Whether the chain of a set ends in integers, which are then scaled."""
        return self._sets.plan(name).scales

    def pipeline(self, name: str) -> Pipeline:
        """What is done to the stimuli of a set."""
        return self._pipelines[name]

    def frame(self, name: str, position: int, number: int = 0) -> Frame:
        """The stimulus at a position of a set after its transformations, as it is before implicit scaling.

        ``number`` chooses among what random transformations can give. Raises DataError for a bad stimulus.
        """
        found = self._sets.alone(name)
        frame = self._content.frame(int(found.ids[position]))
        frame = self._pipelines[name].transform(frame, Draws.of(self._seed, number, [position]))
        found.check(frame)
        return frame

    # ------------------------------------------------------------------------------------------- batches

    def epoch(self, generator: Generator, start: int = 0, part: Part = WHOLE, gaps: bool = False) -> Iterator[Batch]:
        """One pass over the learning set in random order.

        The list 0..n-1 is completed with random stimuli to a multiple of the batch size, shuffled, cut in
        batches, and the order of the batches is shuffled again: ceil(n/B) batches, each of them full but for
        stimuli that are bad. All draws are made before the first batch is given.

        ``start``: how many of the first batches are left out, none of which is made. ``part``: (number, of how many)
        gives that of so many contiguous parts of each batch, made as in the whole batch. With ``gaps`` a batch whose
        stimuli are all bad is given too, empty, so that the batches can be counted.
        """
        count, size = self.size("Learn"), self.batch_size
        if count == 0:
            return iter(())
        extra = generator.integers(0, count - 1, -count % size)
        order = np.concatenate([np.arange(count, dtype=np.int64), extra])
        generator.shuffle(order)
        batches = list(range(len(order) // size))
        generator.shuffle(batches)
        seed = self._learning_seed(generator)
        learn = self._sets.chosen("Learn")
        rows = _rows_of(part, size)
        places = (slice(index * size + rows.start, index * size + rows.stop) for index in batches[start:])
        streams = self._streams("Learn", seed, 0, np.arange(len(order), dtype=np.int64))
        if isinstance(learn, Held):  # its images are transformed batch by batch
            streams = streams.kept()
        return self._made(learn, ((order[some], streams.some(some)) for some in places), gaps)

    def draws(
        self, batches: int, generator: Generator, start: int = 0, part: Part = WHOLE, gaps: bool = False
    ) -> Iterator[Batch]:
        """``batches`` full batches of stimuli, each drawn independently from the whole learning set.

        ``start``, ``part`` and ``gaps`` as in :meth:`epoch`; what is left out is drawn all the same.
        """
        count, size = self.size("Learn"), self.batch_size
        if count == 0:
            return iter(())
        seed = self._learning_seed(generator)
        rows = _rows_of(part, size)
        places = np.arange(size, dtype=np.int64)[rows]
        for _ in range(start):
            generator.integers(0, count - 1, size)
        return self._made(
            self._sets.chosen("Learn"),
            (
                (generator.integers(0, count - 1, size)[rows], self._streams("Learn", seed, number, places))
                for number in range(start + 1, batches + 1)
            ),
            gaps,
        )

    def passes(
        self, name: str, batch_size: int | None = None, share: Part = WHOLE, gaps: bool = False
    ) -> Iterator[Batch]:
        """The stimuli of a set in its order; the last batch may be shorter.

        What is drawn at random is the same in each pass. ``share``: (number, of how many) gives the batches of that
        number, and every so many after it; ``gaps`` as in :meth:`epoch`.
        """
        count, size = self.size(name), batch_size or self.batch_size
        if count == 0:
            return iter(())
        starts = range(share[0] * size, count, share[1] * size)
        rows = (np.arange(start, min(start + size, count), dtype=np.int64) for start in starts)
        number = -1 - SETS.index(name)
        jobs = ((row, self._streams(name, self._seed, number, row)) for row in rows)
        return self._made(self._sets.chosen(name), jobs, gaps)

    def _learning_seed(self, generator: Generator) -> int:
        """One draw of the run's generator, if anything of learning is random: without, its stream is N2D2's."""
        return int(generator.words(1)[0]) if self._pipelines["Learn"].drawn else 0

    def _streams(self, name: str, seed: int, number: int, places: NDArray[np.int64]) -> Draws:
        """The random streams of a batch; where nothing is random any will do."""
        if self._pipelines[name].drawn:
            return Draws.of(seed, number, places)
        return Draws(np.zeros(len(places), np.uint64))

    def _made(self, chosen: StimuliSet, jobs: Iterable[Job], gaps: bool = False) -> Iterator[Batch]:
        """The batches of some jobs on the device, in their order; empty ones with ``gaps``."""
        return feed(self._begun(chosen, jobs, gaps), self._device)

    def _begun(self, chosen: StimuliSet, jobs: Iterable[Job], gaps: bool) -> Iterator[Made]:
        """What the host makes of some jobs; those to come are begun meanwhile."""
        workers = self._sets.workers()
        ahead, together = 0 if workers is None else _AHEAD, chosen.together(self.batch_size, workers is not None)
        jobs = iter(jobs)
        waiting: deque[Pending] = deque()
        while True:
            some = list(itertools.islice(jobs, together))
            if some:
                waiting.append(chosen.start(some, workers))
                if len(waiting) <= ahead:
                    continue
            elif not waiting:
                return
            for batch in waiting.popleft()():
                if gaps or len(batch):
                    yield batch

    # ------------------------------------------------------------------------------------------ checking

    def check(self) -> None:
        """Look at the first stimuli: raises :class:`DataError` that names one that is missing, damaged or too large.

        Images in memory are checked without being transformed, where that is enough.
        """
        for name in SETS:
            if not self.size(name):
                continue
            for position in self._sets.to_check(name):
                if self.faults.strict_at_start:
                    frame = self.frame(name, position)
                    if self._compared is not None:
                        self._compared.read(frame)


def _rows_of(part: Part, size: int) -> slice:
    """The rows of one part of a batch; parts differ by one stimulus at most."""
    number, parts = part
    return slice(size * number // parts, size * (number + 1) // parts)
