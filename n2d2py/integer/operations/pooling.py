"""Operations on the windows of a map."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from n2d2py.integer.operations.base import Along, Operation


@dataclass(frozen=True, eq=False)
class Pooling(Operation):
    """Windows of a map, and which input channels each output takes: bool (channels, outputs), None: its own."""

    pool: Along
    stride: Along
    padding: Along
    mapping: np.ndarray | None = None

    @property
    def area(self) -> int:
        """The largest number of codes that make one output, padding included."""
        channels = 1 if self.mapping is None else int(self.mapping.sum(axis=0).max(initial=0))
        return math.prod(self.pool) * channels

    def detail(self) -> str:
        text = f"{'x'.join(map(str, self.pool))}, stride {','.join(map(str, self.stride))}"
        text += f", padding {','.join(map(str, self.padding))}" if any(self.padding) else ""
        return text + ("" if self.mapping is None else ", over the channels of its map")


@dataclass(frozen=True, eq=False)
class MaxPool(Pooling):
    """The largest code of a window; padding never wins."""

    def words(self) -> str:
        return (
            "largest code of the window (of the connected channels), places outside the input left out; "
            "0 for an output without channels"
        )


@dataclass(frozen=True, eq=False)
class SumPool(Pooling):
    """The exact sum of a window: an average whose division by the area stands in the scale of its edge."""

    def words(self) -> str:
        return "sum of the codes of the window (of the connected channels), places outside the input count 0"
