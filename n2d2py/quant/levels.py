"""Level sets: the sorted integers of which a quantized value is one, times its scale."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from n2d2py.quant.grid import Grid
from n2d2py.quant.layouts import as_shaped, line


@dataclass(frozen=True)
class Levels:
    """Sorted distinct integers, at least two: even ones such as -8 .. 7, or any others, such as 0 1 2 4.

    Levels of one distance are kept as a ``range``: millions of them cost nothing.
    """

    codes: Sequence[int]
    even: bool = field(init=False, repr=False, compare=False)
    """Whether no integer between the first and the last level is missing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", _spaced(self.codes))
        object.__setattr__(self, "even", self.codes[-1] - self.codes[0] == len(self.codes) - 1)

    @classmethod
    def between(cls, low: int, high: int) -> Levels:
        """All integers from ``low`` to ``high``."""
        return cls(range(low, high + 1))

    @property
    def low(self) -> int:
        """The lowest level."""
        return self.codes[0]

    @property
    def high(self) -> int:
        """The highest level."""
        return self.codes[-1]

    @property
    def magnitude(self) -> int:
        """The largest |level|."""
        return max(abs(self.low), abs(self.high))

    def shifted(self, by: int) -> Levels:
        """All levels ``by`` higher."""
        codes = self.codes
        if isinstance(codes, range):
            return Levels(range(codes.start + by, codes.stop + by, codes.step))
        return Levels(tuple(code + by for code in codes))

    def grid(self, scale: float) -> Grid:
        """The grid of these levels."""
        if isinstance(self.codes, range):
            return Grid(scale, self.low, self.high, self.codes.step)
        return Grid(scale, self.low, self.high, uneven=tuple(self.codes))

    def nearest(self, values: Tensor) -> Tensor:
        """The nearest level of each value, a new tensor; beyond the ends the first or the last one.

        Half-way between two levels the even one is taken, as rint does, and of two odd ones the upper, so that 0
        is +1 where the levels are -1 and 1.
        """
        if self.even:
            return values.clamp(self.low, self.high).round_()
        if self.codes == _SIGNS:
            return values.sign().add_(0.5).sign_()
        # Which level it is depends on 2 v alone: on the integer that it is, or on the two between which it lies.
        # ceil + floor is 2 k for the integer k, and 2 k + 1 between k and k + 1.
        doubled = values.clamp(self.low, self.high).mul_(2.0)
        places = doubled.ceil().add_(doubled.floor_()).sub_(4 * self.low).nan_to_num_()
        table = _table(self.codes, values.dtype, values.device)
        return as_shaped(table.index_select(0, line(places.to(torch.int32))), places)


def with_zero(grid: Grid) -> Grid:
    """The grid with 0 among its levels: of a great many levels without it, all integers from the first to the last."""
    if 0 in grid.codes:
        return grid
    if grid.levels > _MOST_LISTED:
        return Grid(grid.scale, min(grid.low, 0), max(grid.high, 0))
    return Levels(sorted((*grid.codes, 0))).grid(grid.scale)


_MOST_LISTED = 1 << 10
_SIGNS = range(-1, 2, 2)


def _spaced(codes: Sequence[int]) -> Sequence[int]:
    """The levels, as a range if all distances are equal. Raises ValueError unless they increase."""
    if isinstance(codes, range) and codes.step > 0 and len(codes) >= 2:
        return codes
    distances = {after - before for before, after in pairwise(codes)}
    if len(codes) < 2 or min(distances) < 1:
        raise ValueError(f"levels are at least two different integers in increasing order, not {codes}")
    return range(codes[0], codes[-1] + 1, distances.pop()) if len(distances) == 1 else tuple(codes)


@functools.lru_cache(maxsize=256)
def _table(codes: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """The nearest level of low, of what lies between low and low + 1/2, of low + 1/2, and so on up to high."""
    found = [codes[0]]
    for below, above in pairwise(codes):
        for quarter in range(4 * below + 1, 4 * above + 1):
            middle = 2 * (below + above)  # in quarters; half-way, an even level is taken, of two odd ones the upper
            upper = quarter > middle or (quarter == middle and below % 2 != 0)
            found.append(above if upper else below)
    return torch.tensor(found, dtype=dtype, device=device)
