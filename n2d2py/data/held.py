"""A set that is kept in memory: computed once as far as nothing is drawn, the rest done to whole batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.batch import Made
from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.lookups import reading_of
from n2d2py.data.moves import Moving, memory_for, moves_of
from n2d2py.data.rois import Roi, boxes
from n2d2py.data.rows import ByteRows, rows_of
from n2d2py.data.sets import TASK, Job, Pending, StimuliSet, held_dtype, regions_of
from n2d2py.data.stock import Block

_REAL = 4  # bytes of one
_CHUNK = 4096  # images in memory that are transformed at once, so that intermediate results stay small
_TASK_BYTES = 4 << 20  # inputs that are begun at a time: what it costs to begin them is little beside them
_MOST_BATCHES = 16


class Held(StimuliSet):
    """Stimuli in memory, with everything done to them that gives the same result each time."""

    _planes: Tensor | None = None
    _inputs: Tensor | None = None
    _bytes: ByteRows | None = None
    _moving: Moving | None = None
    _images: NDArray[Any]
    _labels: Tensor
    _good: NDArray[np.bool_]
    _all_good: bool
    _rois: dict[int, tuple[Roi, ...]]

    def fill(self, dims: tuple[int, int, int], workers: Executor | None, inputs_memory: int = 0) -> bool:
        """Make all stimuli, of (width, height, channels) each before what is drawn; False if one has another size.

        The inputs of the network are kept as well where they cost much to make and fit in ``inputs_memory`` bytes, or
        a mirrored copy where images are mirrored at random.
        """
        dtype = self.plan.dtype if self.plan.repeats else self._begun_dtype()
        self._take_memory(dims, dtype, inputs_memory)
        count, (width, height, _) = len(self.ids), dims
        self._good = np.ones(count, np.bool_)
        self._rois = {}
        labels = np.full((count, *((height, width) if self._shape.composite else ())), -1, np.int64)
        if self._content.plain() and self.plan.pipeline.channels == () and all(s.batched for _, s in self.plan.fixed):
            labels = self._content.labels[self.ids]
            self._fill_at_once()
        elif not self._fill_one_by_one(labels, workers):
            return False
        self._labels = torch.from_numpy(labels)
        if self.plan.repeats:
            if self._bytes is None:
                planes = np.ascontiguousarray(self._images.transpose(0, 3, 1, 2), held_dtype(dtype))
                self._planes = torch.from_numpy(planes).to(self._device)
                if self.plan.conversion.costly and self._planes.numel() * _REAL <= inputs_memory:
                    self._inputs = self.plan.conversion.inputs(self._planes)
            self._images = self._images[:0]
        elif self._moving is not None:
            self._moving.mirror()
        self._all_good = bool(self._good.all())
        return True

    def _take_memory(self, dims: tuple[int, int, int], dtype: np.dtype[Any], inputs_memory: int) -> None:
        """Memory for all images, in the order in which batches are taken out fastest."""
        width, height, channels = dims
        count, shape = len(self.ids), (channels, height, width)
        moves = None
        if self._batched and not self.plan.repeats and held_dtype(dtype) == dtype:
            moves = moves_of(self.plan.rest)
        reading = None
        if (self.plan.repeats or moves is not None) and dtype == np.uint8 and self._reads:
            reading = reading_of(self.plan.conversion, channels)
        if reading is not None and self.plan.repeats:
            self._bytes = ByteRows(count, shape, reading)
            planes = self._bytes.images
        elif moves is not None:
            fits = size_in_memory(count, dims, dtype) <= inputs_memory and self._device.type == "cpu"
            mirrors = moves.mirrors and fits
            moved = memory_for((2 * count if mirrors else count, *shape), dtype)
            self._moving = Moving(moves, moved, mirrors, reading)
            planes = moved.numpy()[:count]
        elif all(step.rearranging for _, step in self.plan.rest):
            # Rows of single channels lie together in memory, as they do in batches.
            planes = np.empty((count, *shape), dtype)
        else:
            self._images = np.empty((count, height, width, channels), dtype)
            return
        self._images = planes.transpose(0, 2, 3, 1)

    @property
    def bytes_kept(self) -> int:
        """The memory that the set takes."""
        if self._bytes is not None:
            return self._bytes.bytes_kept
        tensors = [tensor for tensor in (self._planes, self._inputs) if tensor is not None]
        if self._moving is not None:  # the images are a part of it
            return int(self._moving.planes.numpy().nbytes)
        return int(self._images.nbytes) + sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @property
    def _reads(self) -> bool:
        """Whether the inputs of the network are made here, on the CPU."""
        return self._device.type == "cpu"

    @property
    def _batched(self) -> bool:
        """Whether what is not kept is done to whole batches: there is nothing that moves with single images."""
        return self.plan.batched and not self._shape.composite and not self._with_regions

    def _begun_dtype(self) -> np.dtype[Any]:
        dtype = self._content.depth
        for _, step in self.plan.fixed:
            dtype = step.out_dtype(dtype)
        return dtype

    def _fill_at_once(self) -> None:
        for block in self._content.stock.parts:
            assert isinstance(block, Block)  # the content is plain
            rows = np.flatnonzero((self.ids >= block.first) & (self.ids < block.first + len(block)))
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                images: NDArray[Any] = block.images[self.ids[part] - block.first]
                streams = Draws.of(0, 0, part)
                for number, step in self.plan.fixed:
                    images = step.apply(images, streams.child(number))
                self._images[part] = images

    def _fill_one_by_one(self, labels: NDArray[np.int64], workers: Executor | None) -> bool:
        fits = True

        def do(first: int) -> None:
            nonlocal fits
            for position in range(first, min(first + TASK, len(self.ids))):
                frame = self._made(position, Draws.of(0, 0, [position]), self._begin_at)
                if frame is None:
                    self._good[position] = False
                elif frame.image.shape != self._images.shape[1:] or frame.labels.shape != self._label_shape:
                    fits = False
                else:
                    self._images[position] = frame.image
                    labels[position] = frame.labels if self._shape.composite else frame.labels[0, 0]
                    if self._with_regions and frame.rois:
                        self._rois[position] = frame.rois

        firsts = range(0, len(self.ids), TASK)
        for _ in workers.map(do, firsts) if workers is not None else map(do, firsts):
            if not fits:
                break
        return fits

    def _begin_at(self, position: int, draws: Draws) -> Frame:
        frame = self._begun(int(self.ids[position]), draws)
        if self.plan.repeats:
            self.check(frame)
        return frame

    def together(self, batch_size: int, at_once: bool) -> int:
        size = self._size_of(batch_size)
        if self._is_quick(size) or (not at_once and not self._shape.composite):  # only ids and labels are looked up
            return _MOST_BATCHES
        return min(max(_TASK_BYTES // size, 1), _MOST_BATCHES)

    def start(self, jobs: Sequence[Job], workers: Executor | None) -> Pending:
        there = self._planes is not None and self._device.type != "cpu"
        if workers is None or there or self._is_quick(self._size_of(len(jobs[0][0]))):
            return partial(self._make, jobs)
        return workers.submit(lambda: list(self._make(jobs))).result

    def _size_of(self, count: int) -> int:
        """Bytes of the inputs that so many stimuli are."""
        return count * self._shape.planes * self._shape.height * self._shape.width * _REAL

    def _is_quick(self, size: int) -> bool:
        """Whether to hand a batch of so many bytes over from a thread takes longer than to make it."""
        return self._bytes is not None and size <= _TASK_BYTES

    def _make(self, jobs: Sequence[Job]) -> Iterator[Made]:
        """One batch after the other; what is little for each of them is looked up for all of them at once."""
        if not self._all_good:
            jobs = [self._good_ones(*job) for job in jobs]
        together = np.concatenate([positions for positions, _ in jobs])
        ids, labels = self.ids[together], torch.index_select(self._labels, 0, torch.from_numpy(together))
        end = 0
        for (positions, draws), own in zip(jobs, labels.split([len(one) for one, _ in jobs]), strict=True):
            start, end = end, end + len(positions)
            yield self._one_batch(positions, draws, ids[start:end], own)

    def _good_ones(self, positions: NDArray[np.int64], draws: Draws) -> Job:
        chosen = np.flatnonzero(self._good[positions])
        return positions[chosen], draws.some(chosen)

    def _one_batch(self, positions: NDArray[np.int64], draws: Draws, ids: NDArray[np.int64], labels: Tensor) -> Made:
        if self.plan.repeats:
            return self._repeated(positions, ids, labels)
        if self._moving is not None:
            moved, inputs = self._moving.gather(positions, draws)
            _, planes, height, width = moved.shape
            self._shape.check((height, width, planes), (1, 1), f"{self.name} in memory")
            if inputs is not None:
                return self._with_codes(ids, inputs, labels, lambda: moved)
            return self._batch(ids, moved, labels)
        if self._batched:
            images = self.plan.finish_batch(_chosen(self._images, positions), draws)
            self._shape.check(images.shape[1:], (1, 1), f"{self.name} in memory")
            return self._batch(ids, _as_tensor(images), labels)
        return self._one_by_one(positions, draws)

    def _repeated(self, positions: NDArray[np.int64], ids: NDArray[np.int64], labels: Tensor) -> Made:
        """A batch of stimuli that are the same each time."""
        regions, planes = self._regions(positions), self._planes
        if self._bytes is not None:
            codes = partial(self._bytes.codes, positions)
            return self._with_codes(ids, self._bytes.inputs(positions), labels, codes, regions=regions)
        assert planes is not None  # what is kept where nothing is drawn
        if self._inputs is not None:
            inputs, codes = rows_of(self._inputs, positions), partial(rows_of, planes, positions)
            return self._with_codes(ids, inputs, labels, codes, regions=regions)
        return self._batch(ids, rows_of(planes, positions), labels, regions=regions)

    def _one_by_one(self, positions: NDArray[np.int64], draws: Draws) -> Made:
        frames = []
        for index, position in enumerate(positions.tolist()):
            label = self._labels[position].numpy().astype(np.int32).reshape(self._label_shape)
            begun = Frame(self._images[position], label, self._rois.get(position, ()), int(self.ids[position]))
            frame = self._made(position, draws.image(index), partial(self._finished, begun))
            if frame is not None:
                frames.append(frame)
        ids = np.array([frame.stimulus for frame in frames], np.int64)
        images = np.stack([frame.image for frame in frames]) if frames else self._images[:0]
        labels = np.array([frame.labels if self._shape.composite else frame.labels[0, 0] for frame in frames], np.int64)
        regions = tuple(regions_of(frame) for frame in frames) if self._with_regions else None
        return self._batch(ids, _as_tensor(images), torch.from_numpy(labels), regions=regions)

    def _regions(self, positions: NDArray[np.int64]) -> tuple[Tensor, ...] | None:
        """Of stimuli that are the same each time."""
        if not self._with_regions:
            return None
        width, height = self._shape.width, self._shape.height
        chosen = (self._rois.get(position, ()) for position in positions.tolist())
        return tuple(torch.from_numpy(boxes(rois, width, height)) for rois in chosen)

    @property
    def _label_shape(self) -> tuple[int, int]:
        return (self._images.shape[1], self._images.shape[2]) if self._shape.composite else (1, 1)

    def _finished(self, begun: Frame, position: int, draws: Draws) -> Frame:
        """The stimulus at ``position``, of which ``begun`` is what is kept."""
        frame = self.plan.finish(begun, draws)
        self.check(frame)
        return frame


def _chosen(images: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[Any]:
    """Some of the images, in the order in memory that all of them have."""
    planes = images.transpose(0, 3, 1, 2)
    return planes[positions].transpose(0, 2, 3, 1) if planes.flags.c_contiguous else images[positions]


def _as_tensor(images: NDArray[Any]) -> Tensor:
    """Images (count, height, width, channels) as a tensor of planes, which may be a view."""
    planes = images.transpose(0, 3, 1, 2)
    if planes.flags.c_contiguous:
        return torch.from_numpy(planes.astype(held_dtype(images.dtype), copy=False))
    return torch.from_numpy(np.ascontiguousarray(images, held_dtype(images.dtype))).permute(0, 3, 1, 2)


def size_in_memory(count: int, dims: tuple[int, int, int], dtype: np.dtype[Any]) -> int:
    """Bytes that so many images take."""
    return count * math.prod(dims) * dtype.itemsize
