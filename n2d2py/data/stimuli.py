"""The learning, validation and test sets, and the batches in which a network sees them.

What is the same each time is computed once and kept in memory where it fits; the rest is done to each batch, some
batches ahead of the network, by worker threads: OpenCV and NumPy work outside of Python's lock.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py import console, registry
from n2d2py.data.batch import Batch, Made
from n2d2py.data.cache import Cache
from n2d2py.data.chain import Pipelines
from n2d2py.data.compared import TargetData
from n2d2py.data.content import Content
from n2d2py.data.conversion import Quantization, byte_table
from n2d2py.data.draws import Draws
from n2d2py.data.faults import Faults
from n2d2py.data.feeding import feed, is_remote
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.held import Held, size_in_memory
from n2d2py.data.partition import SETS
from n2d2py.data.pipeline import Pipeline, dims_after
from n2d2py.data.plan import Plan, make_plan
from n2d2py.data.random import Generator
from n2d2py.data.remote import RemoteHeld, RemoteStreamed
from n2d2py.data.sets import Job, Pending, Shape, StimuliSet, Streamed
from n2d2py.errors import Place
from n2d2py.parts.provider import Provider
from n2d2py.quant.grid import Grid

__all__ = ["Batch", "Stimuli"]

MEMORY_VARIABLE = "N2D2_MEMORY"
_MEMORY = 2048  # MiB of transformed stimuli that are kept, unless the variable says otherwise
_AHEAD = 3  # batches, or groups of small ones, that are begun before the first of them is used
_MOST_WORKERS = 8
_CHECKED = 3  # stimuli of a set that are looked at before anything begins


def usual_workers() -> int:
    """As many threads as there are cores that this process may use, up to eight."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


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
        self._signed = provider.data_signed_mapping
        self._quantization = quantization
        self._device = torch.device(device)
        self._count = usual_workers() if workers is None else workers
        self._executor: ThreadPoolExecutor | None = None
        self._seed = seed
        self._cache = cache
        self._memory = int(os.environ.get(MEMORY_VARIABLE) or _MEMORY) << 20
        self._with_regions = False
        self._plans: dict[str, Plan] = {}
        self._sets: dict[str, StimuliSet] = {}
        made = len(next(iter(pipelines.values())).channels) if pipelines else 0
        width, height, channels = provider.dims
        place = provider.place("size") if provider.size is not None else provider.place("size_x")
        self._compared = TargetData(content, provider) if provider.target_dims is not None else None
        self._shape = Shape(width, height, made or channels, provider.depth, provider.composite_stimuli, place)
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
        if not self._with_regions:
            self._with_regions = True
            self._memory += sum(one.bytes_kept for one in self._sets.values() if isinstance(one, Held))
            self._sets = {}
            left = {id(step): step for one in self._pipelines.values() for step in one.all_steps if step.leaves_regions}
            for step in left.values():
                kind = registry.name_of("transformation", type(step))
                console.warning(f"{kind} moves pixels and not the regions of stimuli, at: {step.place()}")

    def grid(self, name: str) -> Grid | None:
        """The grid on which the inputs of a set lie; None if they are real values."""
        return self._plan(name).conversion.grid

    def byte_table(self, name: str, channels: int) -> Tensor | None:
        """The real values (channels, 256) of the bytes of a set, where its chain is a function of single bytes."""
        return byte_table(self._plan(name).conversion, channels)

    def scales_implicitly(self, name: str) -> bool:
        """Whether the chain of a set ends in integers, which are then scaled."""
        return self._plan(name).scales

    def pipeline(self, name: str) -> Pipeline:
        """What is done to the stimuli of a set."""
        return self._pipelines[name]

    def frame(self, name: str, position: int, number: int = 0) -> Frame:
        """The stimulus at a position of a set after its transformations, as it is before implicit scaling.

        ``number`` chooses among what random transformations can give. Raises DataError for a bad stimulus.
        """
        found = StimuliSet(name, self._content, self._plan(name), self._shape, self.faults, None, self._device)
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
        learn = self._set("Learn")
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
            self._set("Learn"),
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
        return self._made(self._set(name), jobs, gaps)

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
        workers = self._workers()
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

    def _workers(self) -> Executor | None:
        if self._count and self._executor is None:
            self._executor = ThreadPoolExecutor(self._count, "stimuli", _begin_worker)
        return self._executor

    # ----------------------------------------------------------------------------------------- preparing

    def check(self) -> None:
        """Look at the first stimuli: raises :class:`DataError` that names one that is missing, damaged or too large.

        Images in memory are checked without being transformed, where that is enough.
        """
        for name in SETS:
            ids = self.ids(name)
            if not len(ids):
                continue
            for position in self._to_check(name, ids):
                if self.faults.strict_at_start:
                    frame = self.frame(name, position)
                    if self._compared is not None:
                        self._compared.read(frame)

    def _to_check(self, name: str, ids: NDArray[np.int64]) -> list[int]:
        """Positions of stimuli to look at: of each block in memory the first one, of files a few."""
        plan = self._plan(name)
        if not self._content.plain():
            return sorted({int(place) for place in np.linspace(0, len(ids) - 1, _CHECKED)})
        unknown = []
        whole = all(step.batched for step in plan.pipeline.all_steps)  # others may change labels
        for block in self._content.blocks:
            inside = np.flatnonzero((ids >= block.first) & (ids < block.first + len(block)))
            if not len(inside):
                continue
            first = int(inside[np.argmin(ids[inside])])
            _, height, width, channels = block.images.shape
            dims = plan.pipeline.out_dims((width, height, channels))
            if dims is None or self._shape.composite or not whole:
                unknown.append(first)
            else:
                stimulus = f"{self.name(int(ids[first]))} ({name})"
                self._shape.check((dims[1], dims[0], dims[2]), (1, 1), stimulus)
        return unknown

    def _plan(self, name: str) -> Plan:
        if name not in self._plans:
            planes = self._shape.planes
            self._plans[name] = make_plan(
                self._pipelines[name], self._content.depth, planes, self._signed, self._quantization
            )
        return self._plans[name]

    def _set(self, name: str) -> StimuliSet:
        if name not in self._sets:
            self._sets[name] = self._prepare(name)
        return self._sets[name]

    def _prepare(self, name: str) -> StimuliSet:
        plan = self._plan(name)
        cache = Cache(self._cache[0], self._content, plan, self._cache[1]) if self._cache is not None else None
        given = (
            name, self._content, plan, self._shape, self.faults, cache, self._device, self._compared, self._with_regions
        )  # fmt: skip
        remote = is_remote(self._device)
        streamed: type[StimuliSet] = RemoteStreamed if remote else Streamed
        if self._compared is not None:  # they belong to files, or to regions that only a single stimulus has
            return streamed(*given)
        dims = self._dims_before_draws(name, plan)
        if dims is not None:
            dtype = np.result_type(plan.dtype) if plan.repeats else self._content.depth
            needed = size_in_memory(self.size(name), dims, np.dtype(dtype))
            if needed <= self._memory:
                held = (RemoteHeld if remote else Held)(*given)
                if held.fill(dims, self._workers(), (self._memory - needed) // 4):
                    self._memory -= held.bytes_kept
                    return held
        return streamed(*given)

    def _dims_before_draws(self, name: str, plan: Plan) -> tuple[int, int, int] | None:
        """The dimensions of the images that would be kept, which those of a good stimulus tell; None without one."""
        if plan.repeats:
            return (self._shape.width, self._shape.height, self._shape.planes)
        if self._content.plain() and self._content.blocks:
            sizes = {block.images.shape[1:] for block in self._content.blocks}
            height, width, channels = next(iter(sizes))
            return dims_after([step for _, step in plan.fixed], (width, height, channels)) if len(sizes) == 1 else None
        ids = self.ids(name)
        found = StimuliSet(name, self._content, plan, self._shape, self.faults, None, self._device)
        for position in {0, len(ids) // 2, len(ids) - 1}:
            frame = found.begun(position, Draws.of(0, 0, [position]))
            if frame is not None:
                height, width, channels = frame.image.shape
                return (width, height, channels)
        return None


def _rows_of(part: Part, size: int) -> slice:
    """The rows of one part of a batch; parts differ by one stimulus at most."""
    number, parts = part
    return slice(size * number // parts, size * (number + 1) // parts)


def _begin_worker() -> None:
    """In each worker: OpenCV must not start threads of its own beside it."""
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)
