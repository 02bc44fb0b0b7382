"""Activation functions made of straight pieces, on codes: clamps, a slope below 0, a line between two bounds.

    code' = clamp(code << shift where code > 0, code * slope elsewhere, low, high)

The slope of a leaky rectifier is slope / 2^shift, exactly if it is a fraction of a power of two up to 2^16, else the
nearest of those. Bounds of a clamp are rounded to codes; where the codes are coarse and a bound is none of them, the
codes are first brought to a fine grid (:mod:`~n2d2py.quant.affine`). A line a x + b is on such a grid too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.layers.functions import is_identity
from n2d2py.parts import activations as records
from n2d2py.quant.affine import WIDE_BITS, Affine, Term, affine, narrowed
from n2d2py.quant.grid import Coded, Grid, exact_dtype

_MOST_SHIFT = 16
_COARSE = 1 << (WIDE_BITS - 4)


@dataclass(frozen=True)
class Pieces:
    """The function above; ``before``, if any, brings codes to the grid on which it works."""

    before: Affine | None
    slope: int
    shift: int
    low: int | None
    high: int | None
    grid: Grid

    def __call__(self, codes: Tensor) -> Coded:
        """The output of codes, exact integers in a float type."""
        if self.before is not None:
            codes = self.before(codes)
        if (self.slope, self.shift) != (1, 0):
            codes = codes.double()
            codes = torch.where(codes > 0, codes * float(1 << self.shift), codes * float(self.slope))
        if self.low is not None or self.high is not None:
            codes = codes.clamp(self.low, self.high)
        return Coded(codes.to(exact_dtype(self.grid.magnitude)) + 0.0, self.grid)


def pieces(record: records.Activation | None, grid: Grid) -> Pieces | None:
    """The integer form of a function on codes of ``grid``; None for a function that is not made of straight pieces."""
    slope, lowest, highest = 1.0, None, None
    if isinstance(record, records.Rectifier):
        slope, highest = record.leak_slope, record.clipping or None
    elif isinstance(record, records.Saturation):
        lowest, highest = -record.threshold, record.threshold
    elif isinstance(record, records.Linear) and record.clipping:
        lowest, highest = -record.clipping, record.clipping
    elif isinstance(record, records.Clamp):
        lowest, highest = record.bounds
    elif isinstance(record, records.HardSigmoid):
        factor, shift = torch.tensor([record.alpha * grid.scale, record.beta], dtype=torch.float64)
        return _clamped(affine([Term(factor, grid)], shift), 0.0, 1.0)
    elif not is_identity(record):
        return None
    before = _fine(grid, lowest, highest)
    grid = grid if before is None else before.grid
    numerator, shift = _fraction(slope)
    if shift and (narrow := narrowed(grid, 36)) is not None:
        before, grid = narrow, narrow.grid
    scale = grid.scale / (1 << shift)
    ends = [code << shift if code > 0 else code * numerator for code in (grid.low, grid.high)]
    if grid.low < 0 < grid.high:
        ends.append(0)
    low = None if lowest is None else round(lowest / scale)
    high = None if highest is None else round(highest / scale)
    ends = [min(end, high) if high is not None else end for end in ends]
    ends = [max(end, low) if low is not None else end for end in ends]
    return Pieces(before, numerator, shift, low, high, Grid(scale, min(ends), max(ends)))


def truncated(grid: Grid, bound: float) -> Pieces:
    """What lies above ``bound`` becomes it."""
    before = _fine(grid, bound)
    grid = grid if before is None else before.grid
    high = round(bound / grid.scale)
    return Pieces(before, 1, 0, None, high, Grid(grid.scale, min(grid.low, high), min(grid.high, high)))


def _clamped(line: Affine, lowest: float, highest: float) -> Pieces:
    """A linear function of codes between two bounds, both of which its fine grid has."""
    low, high = round(lowest / line.grid.scale), round(highest / line.grid.scale)
    least, most = (min(max(end, low), high) for end in (line.grid.low, line.grid.high))
    return Pieces(line, 1, 0, low, high, Grid(line.grid.scale, least, most))


def _fine(grid: Grid, *bounds: float | None) -> Affine | None:
    """What refines codes of which a bound that clamps is none."""
    reach = grid.scale * grid.magnitude
    clamping = [bound for bound in bounds if bound is not None and abs(bound) < reach]
    if grid.magnitude >= _COARSE or all((bound / grid.scale).is_integer() for bound in clamping):
        return None
    return affine([Term(torch.tensor(grid.scale).double(), grid)])


def _fraction(slope: float) -> tuple[int, int]:
    """(p, q) with the slope p / 2^q, q at most 16 and as small as is exact."""
    for shift in range(_MOST_SHIFT):
        if (slope * (1 << shift)).is_integer():
            return int(slope * (1 << shift)), shift
    return round(slope * (1 << _MOST_SHIFT)), _MOST_SHIFT
