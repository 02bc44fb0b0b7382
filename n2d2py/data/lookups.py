"""Bytes that become reals while they are looked up in memory, which is gone through once for both.

They stand as in torch's embedding tables of 8 bits: rows of bytes, each with two float32 behind it, a factor and a
summand. What is looked up there is byte * factor + summand, rounded once: so the first sum or product that a
conversion begins with costs nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.conversion import Affine, Conversion, Scaled

TAIL = 8
"""Bytes of a factor and a summand."""
_BYTES = 256  # values of one
_SIZES = (_BYTES, *(_BYTES + odd for odd in (1, 2, 4, 8, 15, 31)))


@dataclass(frozen=True)
class Reading:
    """Reals of bytes: what the ``tails`` of their channels make of them (uint64, channels), and then ``rest``."""

    tails: NDArray[np.uint64]
    rest: Affine | None = None

    def finish(self, found: Tensor) -> Tensor:
        """What is left to do to what was looked up (count, channels, height, width), in place."""
        return found if self.rest is None else self.rest.on(found)


def lookup(table: Tensor, rows: Tensor) -> Tensor:
    """Reals (len(rows), size) of some rows of a ``table`` of bytes, (rows, size + TAIL)."""
    # One row a bag; of the arguments between, none is other than usual, and the last one includes the last bag's end.
    found: Tensor = _operator()(table, rows, _each_alone(len(rows)), False, 0, False, None, None, True)
    return found


@functools.cache
def _operator() -> Callable[..., Tensor]:
    operator: Callable[..., Tensor] = torch.ops.quantized.embedding_bag_byte_rowwise_offsets.default
    return operator


@functools.lru_cache(maxsize=8)
def _each_alone(count: int) -> Tensor:
    """Where the bags begin, and the last one ends, if each row is a bag of its own."""
    return torch.arange(count + 1)


def reading_of(conversion: Conversion, channels: int) -> Reading | None:
    """How a lookup gives what ``conversion`` makes of bytes of so many channels; None unless it does, bit for bit."""
    first = _first_step(conversion)
    if first is None:
        return None
    factors, summands, rest = first
    if any(len(operand) not in (1, channels) for operand in (factors, summands)):
        return None
    both = np.stack(np.broadcast_arrays(factors, summands, np.zeros(channels))[:2], axis=1)
    reading = Reading(np.ascontiguousarray(both, np.float32).view(np.uint64).reshape(-1), rest)
    try:
        exact = all(_is_exact(reading, conversion, size) for size in _SIZES)
    except (AttributeError, RuntimeError):  # another torch may have no such lookup
        return None
    return reading if exact else None


def _first_step(conversion: Conversion) -> tuple[NDArray[np.float64], NDArray[np.float64], Affine | None] | None:
    """(factors, summands, what comes then) of a conversion that begins with a sum or a product."""
    if isinstance(conversion, Scaled):
        scale = conversion.grid.scale
        return np.array([scale]), np.array([conversion.offset * scale]), None
    if not isinstance(conversion, Affine) or not conversion.operations:
        return None
    (product, operand), *others = conversion.operations
    values = operand.reshape(-1).double().cpu().numpy()
    rest = Affine(tuple(others)) if others else None
    return (values, np.zeros(1), rest) if product else (np.ones(1), values, rest)


def _is_exact(reading: Reading, conversion: Conversion, size: int) -> bool:
    """Whether all bytes of all channels become what the conversion makes of them, in rows of so many."""
    channels = len(reading.tails)
    table = np.empty((channels, size + TAIL), np.uint8)
    table[:, :size] = np.arange(size) % _BYTES
    table[:, size:] = reading.tails.view(np.uint8).reshape(channels, TAIL)
    images = torch.from_numpy(table[:, :size]).view(1, channels, 1, size)
    found = lookup(torch.from_numpy(table), torch.arange(channels)).view(1, channels, 1, size)
    return torch.equal(reading.finish(found), conversion.inputs(images))
