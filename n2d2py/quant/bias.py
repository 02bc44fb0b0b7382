"""Real biases on integer accumulators: the one place that says which integer a bias is.

A bias that meets a BatchNorm or an activation quantizer stays real (:attr:`Coded.offset`), because the step
function of the quantizer absorbs it. Any other bias is made an integer here, by definition: accumulators are
shifted left by F bits, so that the bias is rounded to 2^-F of an accumulator's unit, and are then on a grid of
scale / 2^F. The learned network is evaluated so, and the integer network is built so, hence they agree.
"""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.quant.grid import Coded, Grid, along_channels, exact_dtype

MOST_BITS = 16
"""Largest F: a bias is then off by at most 2^-17 of an accumulator's unit."""
WORD = 1 << 30
"""Shifted accumulators with their bias stay below this magnitude, so that words of 32 bits hold sums of two ..."""
LIMIT = 1 << 52
"""... or below this one, unshifted, so that float64 holds them exactly."""


def bias_codes(offset: Tensor, grid: Grid) -> tuple[int, Tensor]:
    """(F, integers): the bias ``offset`` (float64, channels) as rint(offset / scale * 2^F), float64 (channels).

    F is the largest number of bits, at most 16, that keeps every sum of a shifted accumulator of ``grid`` and
    its bias below 2^30; 0 if none does. Raises OverflowError where even then a sum passes 2^52.
    """
    units = offset.double() / grid.scale
    for bits in range(MOST_BITS, -1, -1):
        codes = torch.round(units * float(1 << bits))
        largest = float(codes.abs().max()) if codes.numel() else 0.0
        limit = WORD if bits else LIMIT
        if largest < limit and (grid.magnitude << bits) + int(largest) < limit:
            return bits, codes
    raise OverflowError(f"accumulators up to {grid.magnitude} with their biases do not fit below 2^52")


def folded_grid(grid: Grid, bits: int, codes: Tensor) -> Grid:
    """The grid of ``accumulator * 2^bits + codes``."""
    low = int(codes.min()) if codes.numel() else 0
    high = int(codes.max()) if codes.numel() else 0
    return Grid(grid.scale / (1 << bits), (grid.low << bits) + low, (grid.high << bits) + high)


def fold(coded: Coded) -> Coded:
    """``coded`` without offset: its bias is made part of the codes. Raises OverflowError as :func:`bias_codes`."""
    if coded.grid is None or coded.offset is None:
        return coded
    bits, codes = bias_codes(coded.offset, coded.grid)
    grid = folded_grid(coded.grid, bits, codes)
    values = coded.values.double() * float(1 << bits)
    values.add_(along_channels(codes, values.dim()))
    return Coded(values.to(exact_dtype(grid.magnitude)), grid)
