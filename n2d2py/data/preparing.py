"""The sets of a database, made ready: kept in memory where they fit and are the same each time, else streamed."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from n2d2py.data.cache import Cache
from n2d2py.data.chain import Pipelines
from n2d2py.data.compared import TargetData
from n2d2py.data.content import Content
from n2d2py.data.conversion import Quantization
from n2d2py.data.draws import Draws
from n2d2py.data.faults import Faults
from n2d2py.data.feeding import is_remote
from n2d2py.data.held import Held, size_in_memory
from n2d2py.data.pipeline import dims_after
from n2d2py.data.plan import Plan, make_plan
from n2d2py.data.remote import RemoteHeld, RemoteStreamed
from n2d2py.data.sets import Shape, StimuliSet, Streamed
from n2d2py.errors import Place

MEMORY_VARIABLE = "N2D2_MEMORY"
_MEMORY = 2048  # MiB of transformed stimuli that are kept, unless the variable says otherwise
_MOST_WORKERS = 8
_CHECKED = 3  # stimuli of a set that are looked at before anything begins


def usual_workers() -> int:
    """As many threads as there are cores that this process may use, up to eight."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


class Sets:
    """The learning, validation and test sets, each made ready when it is asked for.

    ``shape``: of stimuli after their transformations; ``workers``: threads that make batches, ``None``: as many as is
    usual; ``cache``: folder of CachePath; ``compared``: what outputs are compared with, if that is not the inputs.
    """

    def __init__(
        self,
        content: Content,
        pipelines: Pipelines,
        shape: Shape,
        faults: Faults,
        *,
        signed: bool,
        quantization: Quantization | None,
        device: torch.device,
        workers: int | None,
        cache: tuple[Path, Place | None] | None,
        compared: TargetData | None,
    ) -> None:
        self.memory = int(os.environ.get(MEMORY_VARIABLE) or _MEMORY) << 20
        """Bytes that sets may still take."""
        self.with_regions = False
        """Whether batches have the labelled regions of their stimuli."""
        self._content = content
        self._pipelines = pipelines
        self._shape = shape
        self._faults = faults
        self._signed = signed
        self._quantization = quantization
        self._device = device
        self._count = usual_workers() if workers is None else workers
        self._executor: ThreadPoolExecutor | None = None
        self._cache = cache
        self._compared = compared
        self._plans: dict[str, Plan] = {}
        self._sets: dict[str, StimuliSet] = {}

    def workers(self) -> Executor | None:
        """The threads, begun when they are first asked for; None without."""
        if self._count and self._executor is None:
            self._executor = ThreadPoolExecutor(self._count, "stimuli", _begin_worker)
        return self._executor

    def give_regions(self) -> None:
        """From now on batches have regions: sets that are kept without them are made anew."""
        self.with_regions = True
        self.memory += sum(one.bytes_kept for one in self._sets.values() if isinstance(one, Held))
        self._sets = {}

    def alone(self, name: str) -> StimuliSet:
        """A set whose stimuli are made one by one, from their files or blocks on."""
        return StimuliSet(name, self._content, self.plan(name), self._shape, self._faults, None, self._device)

    def plan(self, name: str) -> Plan:
        """How the stimuli of a set are made."""
        if name not in self._plans:
            planes = self._shape.planes
            self._plans[name] = make_plan(
                self._pipelines[name], self._content.depth, planes, self._signed, self._quantization
            )
        return self._plans[name]

    def chosen(self, name: str) -> StimuliSet:
        """The stimuli of a set, in memory or not."""
        if name not in self._sets:
            self._sets[name] = self._prepared(name)
        return self._sets[name]

    def _prepared(self, name: str) -> StimuliSet:
        plan = self.plan(name)
        cache = Cache(self._cache[0], self._content, plan, self._cache[1]) if self._cache is not None else None
        given = (
            name, self._content, plan, self._shape, self._faults, cache, self._device, self._compared, self.with_regions
        )  # fmt: skip
        remote = is_remote(self._device)
        streamed: type[StimuliSet] = RemoteStreamed if remote else Streamed
        if self._compared is not None:  # they belong to files, or to regions that only a single stimulus has
            return streamed(*given)
        dims = self._dims_before_draws(name, plan)
        if dims is not None:
            dtype = np.result_type(plan.dtype) if plan.repeats else self._content.depth
            needed = size_in_memory(self._content.size(name), dims, np.dtype(dtype))
            if needed <= self.memory:
                held = (RemoteHeld if remote else Held)(*given)
                if held.fill(dims, self.workers(), (self.memory - needed) // 4):
                    self.memory -= held.bytes_kept
                    return held
        return streamed(*given)

    def _dims_before_draws(self, name: str, plan: Plan) -> tuple[int, int, int] | None:
        """The dimensions of the images that would be kept, which those of a good stimulus tell; None without one."""
        if plan.repeats:
            return (self._shape.width, self._shape.height, self._shape.planes)
        if self._content.plain() and self._content.stock.blocks:
            sizes = {block.images.shape[1:] for block in self._content.stock.blocks}
            height, width, channels = next(iter(sizes))
            return dims_after([step for _, step in plan.fixed], (width, height, channels)) if len(sizes) == 1 else None
        ids = self._content.ids(name)
        found = self.alone(name)
        for position in {0, len(ids) // 2, len(ids) - 1}:
            frame = found.begun(position, Draws.of(0, 0, [position]))
            if frame is not None:
                height, width, channels = frame.image.shape
                return (width, height, channels)
        return None

    def to_check(self, name: str) -> list[int]:
        """Positions of stimuli to look at: of each block in memory the first one, of files a few."""
        plan, ids = self.plan(name), self._content.ids(name)
        if not self._content.plain():
            return sorted({int(place) for place in np.linspace(0, len(ids) - 1, _CHECKED)})
        unknown = []
        whole = all(step.batched for step in plan.pipeline.all_steps)  # others may change labels
        for block in self._content.stock.blocks:
            inside = np.flatnonzero((ids >= block.first) & (ids < block.first + len(block)))
            if not len(inside):
                continue
            first = int(inside[np.argmin(ids[inside])])
            _, height, width, channels = block.images.shape
            dims = plan.pipeline.out_dims((width, height, channels))
            if dims is None or self._shape.composite or not whole:
                unknown.append(first)
            else:
                stimulus = f"{self._content.name(int(ids[first]))} ({name})"
                self._shape.check((dims[1], dims[0], dims[2]), (1, 1), stimulus)
        return unknown


def _begin_worker() -> None:
    """In each worker: OpenCV must not start threads of its own beside it."""
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)
