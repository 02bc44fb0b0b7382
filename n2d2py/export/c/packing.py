"""Weights as level indices, packed without gaps into bytes, lowest bits first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.integer.operations import Weighted


@dataclass(frozen=True, eq=False)
class Packed:
    """Weights of an operation: ``data`` uint8, ``bits`` an index, and the code of each index.

    A code is ``low + step * index``, or ``levels[index]`` where levels are given: uneven sets, and sets in which the 0
    of absent connections is one more level. Two bytes follow the data, so that three can be read at any index.
    """

    data: np.ndarray
    bits: int
    low: int
    step: int
    levels: tuple[int, ...] = ()

    def code(self, index: str) -> str:
        """The code of an index, as a C expression."""
        if self.levels:
            return f"levels[{index}]"
        product = index if self.step == 1 else f"{self.step} * {index}"
        return product if self.low == 0 else f"{product} - {-self.low}" if self.low < 0 else f"{product} + {self.low}"


def pack(operation: Weighted) -> Packed:
    """The weights in the order of their rows (output, channel, row, column)."""
    grid, weights = operation.weights_grid, operation.weights.ravel()
    if grid.uneven or operation.zero_is_extra:
        levels = tuple(sorted({*grid.codes, *((0,) if operation.absent else ())}))
        indices = np.searchsorted(np.array(levels), weights)
        bits = max(1, (len(levels) - 1).bit_length())
        return Packed(_packed(indices, bits), bits, 0, 1, levels)
    bits = max(1, operation.stored_bits)
    return Packed(_packed((weights - grid.low) // grid.step, bits), bits, grid.low, grid.step)


def _packed(indices: np.ndarray, bits: int) -> np.ndarray:
    places = (indices[:, None] >> np.arange(bits)) & 1
    data = np.packbits(places.astype(np.uint8).ravel(), bitorder="little")
    return np.concatenate([data, np.zeros(2, dtype=np.uint8)])


def unpack(packed: Packed, count: int) -> np.ndarray:
    """The codes again, int64 (count)."""
    places = np.unpackbits(packed.data, bitorder="little")[: count * packed.bits].reshape(count, packed.bits)
    indices = (places.astype(np.int64) << np.arange(packed.bits)).sum(axis=1)
    return np.array(packed.levels)[indices] if packed.levels else packed.low + packed.step * indices
