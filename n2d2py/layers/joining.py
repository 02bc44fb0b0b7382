"""Several inputs of a cell become one: concatenated along the channels; a width and height of 1 is broadcast."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid


def joined(inputs: Sequence[Tensor]) -> Tensor:
    """(batch, channels, height, width) of all inputs together."""
    if len(inputs) == 1:
        return inputs[0]
    height = max(x.shape[2] for x in inputs)
    width = max(x.shape[3] for x in inputs)
    return torch.cat([x.expand(-1, -1, height, width) for x in inputs], dim=1)


def flattened(inputs: Sequence[Tensor]) -> Tensor:
    """(batch, values): each input flattened channel by channel, one after the other."""
    if len(inputs) == 1:
        return inputs[0].flatten(1)
    return torch.cat([x.flatten(1) for x in inputs], dim=1)


def joined_codes(inputs: Sequence[Coded]) -> Coded:
    """As :func:`joined`, on codes if all inputs are codes of one scale, else on reals."""
    if len(inputs) == 1:
        return inputs[0]
    same = common(inputs)
    if same is None:
        return Coded(joined([x.real() for x in inputs]))
    return Coded(joined([x.values for x in same]), united(same))


def common(inputs: Sequence[Coded]) -> list[Coded] | None:
    """The inputs with their biases folded and one type of codes, or None unless they share a scale."""
    folded = [fold(x) if len(inputs) > 1 else x for x in inputs]
    scales = {None if x.grid is None else x.grid.scale for x in folded}
    if len(scales) > 1 or None in scales:
        return None
    wide = any(x.values.dtype == torch.float64 for x in folded)
    return [Coded(x.values.double(), x.grid, x.offset) if wide else x for x in folded]


def united(inputs: Sequence[Coded]) -> Grid:
    """The grid that holds all codes of inputs of one scale."""
    grids = [x.grid for x in inputs if x.grid is not None]
    if len(grids) == 1:
        return grids[0]
    step = grids[0].step if len({(grid.low, grid.step) for grid in grids}) == 1 else 1
    return Grid(grids[0].scale, min(grid.low for grid in grids), max(grid.high for grid in grids), step)
