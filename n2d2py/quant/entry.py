"""Codes of stimuli that are real numbers: the grid on which a quantized network meets them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from n2d2py.quant.grid import Coded, Grid, exact_dtype

TABLE_BITS = 16
"""Bits of the codes of bytes that a table changes: their rounding is far below a step of the bytes."""
MEASURED_BITS = 8
"""Bits of the codes of real numbers whose range was measured."""


def table_grid(table: Tensor) -> Grid:
    """The grid of a table of reals: its scale is the smallest power of two with which all codes have 16 bits."""
    values = table.double()
    largest = float(values.abs().max())
    exponent = math.frexp(largest * (1 + 2.0**-TABLE_BITS))[1] - (TABLE_BITS - 1) if largest > 0 else 0
    codes = torch.round(values * math.ldexp(1.0, -exponent))
    return Grid(math.ldexp(1.0, exponent), min(0, int(codes.min())), max(0, int(codes.max())))


def measured_grid(low: float, high: float) -> Grid:
    """8 bits for values from ``low`` to ``high``, 0 being the code 0: unsigned if none is negative."""
    if low >= 0:
        return Grid((high or 1.0) / 255, 0, 255)
    return Grid(max(-low / 128, high / 127), -128, 127)


def encoded(values: Tensor, grid: Grid) -> Coded:
    """Real stimuli as codes: rint(value / scale) in float64, clamped to the grid."""
    codes = torch.round(values.double() / grid.scale).clamp_(grid.low, grid.high)
    return Coded(codes.to(exact_dtype(grid.magnitude)) + 0.0, grid)
