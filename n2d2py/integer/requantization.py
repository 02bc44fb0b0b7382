"""The integer form of a quantized activation: accumulators in, codes 0..R out, integers only.

    code = clamp((acc * M + B) >> n, 0, R)

with a multiplier M and a wide bias B for each channel and one shift n for the layer. A channel that has no such
form that is equal to the learned function counts thresholds instead: code = number of T_j <= sign * acc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

_WORD = (1 << 63) - 1


@dataclass(frozen=True, eq=False)
class Table:
    """Thresholds of one channel: ``code = count(thresholds <= sign * acc)``; ``thresholds`` is sorted int64 (R,)."""

    sign: int
    thresholds: np.ndarray

    def __post_init__(self) -> None:
        if self.sign not in (1, -1) or np.any(np.diff(self.thresholds) < 0):
            raise ValueError("thresholds are sorted, and their sign is 1 or -1")


@dataclass(frozen=True, eq=False)
class IntegerBias:
    """What a step function with an integer bias is: code = rint((acc + bias) * slope), clamped to the levels.

    ``biases`` int64 (channels,), ``slopes`` float64 (channels,) that are float32 numbers; 0 in a constant channel.
    """

    biases: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True, eq=False)
class Rescaling:
    """Multiplier and bias int64 (channels,), one shift, the highest code R; ``tables`` replace single channels.

    In a channel with a table, multiplier and bias are 0 and have no meaning.
    """

    multipliers: np.ndarray
    biases: np.ndarray
    shift: int
    highest: int
    tables: dict[int, Table] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.multipliers)

    @property
    def multiplier_bits(self) -> int:
        """Bits of a two's complement word that holds every multiplier; 0 if all are 0."""
        largest = max((_magnitude_bits(int(value)) for value in self.multipliers), default=0)
        return largest + 1 if largest else 0

    @property
    def form(self) -> str:
        """``multiplier``, ``thresholds``, or how many channels have which."""
        if not self.tables:
            return "multiplier"
        if len(self.tables) == self.channels:
            return "thresholds"
        return f"multiplier, {len(self.tables)} of {self.channels} thresholds"

    def overflows(self, low: np.ndarray, high: np.ndarray) -> list[int]:
        """The channels in which acc * M or acc * M + B leaves int64 somewhere on [low, high]; exact integers."""
        wrong = []
        for channel in range(self.channels):
            multiplier, bias = int(self.multipliers[channel]), int(self.biases[channel])
            products = [int(low[channel]) * multiplier, int(high[channel]) * multiplier]
            if max(abs(value) for value in (*products, *(value + bias for value in products))) > _WORD:
                wrong.append(channel)
        return wrong

    def codes(self, accumulators: np.ndarray, axis: int = 0) -> np.ndarray:
        """Codes int64 of accumulators int64; ``axis`` is that of the channels."""
        shape = [1] * accumulators.ndim
        shape[axis] = self.channels
        multipliers, biases = self.multipliers.reshape(shape), self.biases.reshape(shape)
        result = np.clip((accumulators * multipliers + biases) >> self.shift, 0, self.highest)
        if self.tables:
            lines, into = np.moveaxis(accumulators, axis, 0), np.moveaxis(result, axis, 0)
            for channel, table in self.tables.items():
                into[channel] = np.searchsorted(table.thresholds, table.sign * lines[channel], side="right")
        return result

    def edges(self, channel: int, low: int, high: int) -> Iterator[int]:
        """The accumulators of ]low, high] at which the code may differ from that of the accumulator before.

        Exact: the code is constant between them. From M, B and n (or the table) alone.
        """
        table = self.tables.get(channel)
        if table is not None:
            for threshold in sorted({int(value) for value in table.thresholds}):
                edge = threshold if table.sign > 0 else 1 - threshold
                if low < edge <= high:
                    yield edge
            return
        multiplier, bias = int(self.multipliers[channel]), int(self.biases[channel])
        if multiplier == 0:
            return
        for code in range(1, self.highest + 1):
            level = (code << self.shift) - bias  # code reached where acc * M >= level
            edge = -(-level // multiplier) if multiplier > 0 else level // multiplier + 1
            if low < edge <= high:
                yield edge


def _magnitude_bits(value: int) -> int:
    """Bits of a two's complement word for ``value``, without the sign's."""
    return value.bit_length() if value >= 0 else (-value - 1).bit_length()
