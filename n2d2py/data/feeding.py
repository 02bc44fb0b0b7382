"""Batches on their way from the memory of the host to a GPU, without anybody waiting for anybody.

What the host has of a batch (images as they are held, or the numbers of images that the GPU holds, and what was drawn
for them) is copied from pinned memory on a stream of its own while the network works on the batch before; what is
left to do, slices, flips and the conversion to reals, is done on the GPU. Everything is drawn on the host, by the same
generator, so that a batch is the same wherever it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from n2d2py.data.batch import Batch, Made, Parcel
from n2d2py.data.conversion import Affine, Conversion
from n2d2py.data.draws import Draws
from n2d2py.data.moves import Moves

SHARE = 2
"""One part in so many of the memory that is free on a GPU may hold stimuli."""


def is_remote(device: torch.device) -> bool:
    """Whether the device has a memory of its own, into which copies take a time in which others can work."""
    return device.type != "cpu"


class Lane(Protocol):
    """A way to a device beside the one on which the network works."""

    def send(self, tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Begin to copy tensors of the host to the device."""
        ...

    def arrive(self, tensors: Sequence[Tensor | None]) -> None:
        """Let the work that comes on the device wait for these copies, and nobody else."""
        ...


class Plain:
    """Copies that are there when they are made."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def send(self, tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
        return [None if one is None else one.to(self._device) for one in tensors]

    def arrive(self, tensors: Sequence[Tensor | None]) -> None:
        """They are there."""


class SideStream:
    """Copies from pinned memory on a stream of a GPU that is used for nothing else."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)

    def send(self, tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
        with torch.cuda.stream(self._stream):
            return [None if one is None else pinned(one).to(self._device, non_blocking=True) for one in tensors]

    def arrive(self, tensors: Sequence[Tensor | None]) -> None:
        network = torch.cuda.current_stream(self._device)
        network.wait_stream(self._stream)
        for one in tensors:
            if one is not None:
                one.record_stream(network)  # its memory is not given to another copy before the network is done


def pinned(values: Tensor) -> Tensor:
    """A copy in pages that stay where they are, in the order of the axes: what a GPU can fetch by itself."""
    return torch.empty(values.shape, dtype=values.dtype, pin_memory=True).copy_(values)


def lane_to(device: torch.device) -> Lane:
    """The fastest way to a device."""
    return SideStream(device) if device.type == "cuda" else Plain(device)


def feed(made: Iterable[Made], device: torch.device) -> Iterator[Batch]:
    """Batches on the device, the copies of each begun before the one before it is given."""
    if not is_remote(device):
        yield from (one if isinstance(one, Batch) else one.finish(*one.tensors) for one in made)
        return
    lane = lane_to(device)
    waiting: tuple[Parcel, list[Tensor | None]] | None = None
    for one in made:
        assert isinstance(one, Parcel)  # what a set makes for such a device
        sent = one, lane.send(one.tensors)
        if waiting is not None:
            yield _arrived(lane, *waiting)
        waiting = sent
    if waiting is not None:
        yield _arrived(lane, *waiting)


def _arrived(lane: Lane, parcel: Parcel, sent: list[Tensor | None]) -> Batch:
    lane.arrive(sent)
    return parcel.finish(*sent)


def room(device: torch.device, budget: int) -> int:
    """Bytes of stimuli that a device may hold: at most ``budget``, and at most a share of what is free there."""
    if device.type != "cuda":
        return budget
    return min(budget, torch.cuda.mem_get_info(device)[0] // SHARE)


def on_device(conversion: Conversion, device: torch.device) -> Conversion:
    """The same conversion with its tables on the device, so that no batch has to bring them."""
    if not is_remote(device) or not is_dataclass(conversion):
        return conversion
    changed: dict[str, Any] = {}
    for item in fields(conversion):
        value = getattr(conversion, item.name)
        if isinstance(value, Tensor):
            changed[item.name] = value.to(device)
    if isinstance(conversion, Affine):
        changed["operations"] = tuple((product, operand.to(device)) for product, operand in conversion.operations)
    return cast(Conversion, replace(conversion, **changed))


@dataclass(frozen=True)
class DrawnMoves:
    """What was drawn for the moves of some images: top left corners of slices (images, 2), and flips (images, 2).

    The tensors are those that a parcel carries: rows, columns, downward and sideways flips.
    """

    size: tuple[int, int]

    @classmethod
    def of(
        cls, moves: Moves, dims: tuple[int, int, int], draws: Draws
    ) -> tuple[DrawnMoves, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """The moves of images of ``dims`` (width, height, channels), drawn as :meth:`Moving.gather` draws them."""
        count = len(draws)
        width, height = dims[:2]
        offsets = np.zeros((count, 2), np.int64)
        if moves.slicing is not None:
            number, slicing = moves.slicing
            size = slicing.out_dims(dims)
            assert size is not None  # without scaling
            width, height = size[:2]
            offsets = slicing.offsets(dims, draws.child(number))[:, :2].astype(np.int64)
        sideways = downward = np.zeros(count, np.bool_)
        if moves.flipping is not None:
            number, flipping = moves.flipping
            sideways, downward = flipping.flips(draws.child(number))
        drawn = (offsets[:, 1], offsets[:, 0], downward, sideways)
        top, left, down, side = (torch.from_numpy(np.ascontiguousarray(one)) for one in drawn)
        return cls((height, width)), (top, left, down, side)

    def gather(self, planes: Tensor, rows: Tensor, top: Tensor, left: Tensor, down: Tensor, side: Tensor) -> Tensor:
        """Images ``rows`` of ``planes`` (count, channels, height, width), moved; all tensors are on one device.

        Each value is read from its place once: the same values, bit for bit, as those of :meth:`Moving.gather`.
        """
        ys = _places(self.size[0], top, down)[:, None, :, None]
        xs = _places(self.size[1], left, side)[:, None, None, :]
        channels = torch.arange(planes.shape[1], device=planes.device)[None, :, None, None]
        return planes[rows[:, None, None, None], channels, ys, xs]


def _places(size: int, first: Tensor, mirrored: Tensor) -> Tensor:
    """Where the values of a slice come from, (images, size), along one axis."""
    along = torch.arange(size, device=first.device)
    return first[:, None] + torch.where(mirrored[:, None], size - 1 - along, along)
