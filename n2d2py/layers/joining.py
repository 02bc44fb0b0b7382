"""Several inputs of a cell become one: concatenated along the channels; a width, height and depth of 1 is broadcast."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from n2d2py.quant.affine import Affine, aligned
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid

JOINED_BITS = 24
"""Bits of the codes of inputs of several scales, once they are brought to one: float32 holds them."""


def joined(inputs: Sequence[Tensor]) -> Tensor:
    """(batch, channels, [depth,] height, width) of all inputs together."""
    if len(inputs) == 1:
        return inputs[0]
    return torch.cat(spread(inputs), dim=1)


def spread(inputs: Sequence[Tensor]) -> list[Tensor]:
    """The inputs with one value at a point repeated over the width, height and depth of the others."""
    in_space = any(x.dim() == 5 for x in inputs)
    inputs = [x.unsqueeze(2) if in_space and x.dim() == 4 else x for x in inputs]
    largest = [max(sizes) for sizes in zip(*(x.shape[2:] for x in inputs), strict=True)]
    return [x.expand(-1, -1, *largest) for x in inputs]


def flattened(inputs: Sequence[Tensor]) -> Tensor:
    """(batch, values): each input flattened channel by channel, one after the other."""
    if len(inputs) == 1:
        return inputs[0].flatten(1)
    return torch.cat([x.flatten(1) for x in inputs], dim=1)


def joined_codes(inputs: Sequence[Coded]) -> Coded:
    """As :func:`joined`, on codes if all inputs are codes, else on reals."""
    if len(inputs) == 1:
        return inputs[0]
    same = common(inputs)
    if same is None:
        return Coded(joined([x.real() for x in inputs]))
    return Coded(joined([x.values for x in same]), united(same))


def common(inputs: Sequence[Coded]) -> list[Coded] | None:
    """The inputs with their biases folded, on one scale and with one type of codes; None unless all are codes.

    Codes of several scales become wide codes of one (:mod:`~n2d2py.quant.affine`).
    """
    folded = [fold(x) if len(inputs) > 1 else x for x in inputs]
    grids = [x.grid for x in folded if x.grid is not None]
    if len(grids) < len(folded):
        return None
    forms = alignments(grids)
    same = [x if form is None else form.coded(x.values) for x, form in zip(folded, forms, strict=True)]
    wide = any(x.values.dtype == torch.float64 for x in same)
    return [Coded(x.values.double(), x.grid, x.offset) if wide else x for x in same]


def alignments(grids: Sequence[Grid]) -> list[Affine | None]:
    """What brings inputs on these grids to one scale; None for each if they share one."""
    if len({grid.scale for grid in grids}) == 1:
        return [None] * len(grids)
    return [*aligned(grids, JOINED_BITS)]


def united(inputs: Sequence[Coded]) -> Grid:
    """The grid that holds all codes of inputs of one scale."""
    grids = [x.grid for x in inputs if x.grid is not None]
    if len(grids) == 1:
        return grids[0]
    step = grids[0].step if len({(grid.low, grid.step) for grid in grids}) == 1 else 1
    return Grid(grids[0].scale, min(grid.low for grid in grids), max(grid.high for grid in grids), step)
