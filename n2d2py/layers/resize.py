"""Resize: nearest values, or linear interpolation along each axis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.cells.resize import Resize
from n2d2py.graph.network import Node
from n2d2py.layers.joining import joined_codes
from n2d2py.layers.moving import MovingLayer
from n2d2py.quant.affine import Affine, narrowed
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, exact_dtype
from n2d2py.registry import register

_SHARE_BITS = 12
_SUM_BITS = 50


@register("layer", "Resize")
class ResizeLayer(MovingLayer):
    """The nearest value is selected, so that codes stay codes; interpolated codes are sums with integer shares."""

    low_rows: Tensor
    high_rows: Tensor
    share_rows: Tensor
    low_columns: Tensor
    high_columns: Tensor
    share_columns: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, Resize)
        self.nearest = cell.mode == "NearestNeighbor"
        height, width = (max(getattr(dims, side) for dims in node.inputs) for side in ("height", "width"))
        for axis, size, count in (("rows", height, cell.height), ("columns", width, cell.width)):
            low, high, share = _neighbours(cell, size, count)
            self.register_buffer(f"low_{axis}", low, persistent=False)
            self.register_buffer(f"high_{axis}", high, persistent=False)
            self.register_buffer(f"share_{axis}", share, persistent=False)

    @property
    def keeps_codes(self) -> bool:
        return self.nearest and super().keeps_codes

    def move(self, x: Tensor) -> Tensor:
        upper = x.index_select(2, self.low_rows)
        left = upper.index_select(3, self.low_columns)
        if self.nearest:
            return left
        lower = x.index_select(2, self.high_rows)
        right = upper.index_select(3, self.high_columns)
        low_left, low_right = lower.index_select(3, self.low_columns), lower.index_select(3, self.high_columns)
        across, down = self.share_columns.to(x.dtype), self.share_rows.to(x.dtype)[:, None]
        top, bottom = left + (right - left) * across, low_left + (low_right - low_left) * across
        return top + (bottom - top) * down

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = fold(joined_codes(inputs))
        if self.nearest or x.grid is None:
            return super().evaluate(x)
        form = self.interpolation(x.grid)
        values = x.values if form.short is None else form.short(x.values)
        return self.activate_coded(Coded(form(values.double()).to(exact_dtype(form.grid.magnitude)), form.grid))

    def interpolation(self, grid: Grid) -> Interpolation:
        """The integers that interpolate codes of ``grid``."""
        rows, row_bits = _whole_shares(self.share_rows)
        columns, column_bits = _whole_shares(self.share_columns)
        bits = row_bits + column_bits
        short = narrowed(grid, _SUM_BITS - bits)
        grid = grid if short is None else short.grid
        return Interpolation(
            (self.low_rows, self.high_rows, rows, row_bits),
            (self.low_columns, self.high_columns, columns, column_bits),
            short,
            Grid(grid.scale / (1 << bits), grid.low << bits, grid.high << bits),
        )


Axis = tuple[Tensor, Tensor, Tensor, int]
"""For each output along an axis the two neighbours, the share of the second in units of 2^-bits, bits."""


@dataclass(frozen=True)
class Interpolation:
    """code = sum over both neighbours of both axes of share * share * code; shares add up to 2^bits along an axis."""

    rows: Axis
    columns: Axis
    short: Affine | None
    grid: Grid

    def __call__(self, codes: Tensor) -> Tensor:
        """Codes of the result, from exact integers (batch, channels, height, width)."""
        for axis, (low, high, share, bits) in ((3, self.columns), (2, self.rows)):
            along = share.to(codes).view(-1, *(1 for _ in range(3 - axis)))
            nearer, farther = codes.index_select(axis, low), codes.index_select(axis, high)
            codes = nearer * ((1 << bits) - along) + farther * along
        return codes


def _whole_shares(shares: Tensor) -> tuple[Tensor, int]:
    """Shares as integers of the fewest bits that hold them exactly, rounded to 12 bits where these are too few."""
    for bits in range(_SHARE_BITS):
        whole = shares.double() * float(1 << bits)
        if bool((whole == whole.round()).all()):
            return whole.long(), bits
    return torch.round(shares.double() * float(1 << _SHARE_BITS)).long(), _SHARE_BITS


def _neighbours(cell: Resize, size: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each of ``count`` outputs the indices of two neighbours among ``size`` inputs, and the second's share."""
    outputs = torch.arange(count)
    if cell.mode == "NearestNeighbor":
        index = outputs * size // count
        return index, index, torch.zeros(count)
    places = outputs.double()
    if cell.align_corners:
        places = places * ((size - 1) / (count - 1) if count > 1 else size / count)
    elif cell.mode == "Bilinear":
        places = (places + 0.5) * (size / count) - 0.5
    else:
        places = places * (size / count)
    places = places.clamp(0.0, size - 1.0)
    low = places.floor().long()
    return low, (low + 1).clamp_max(size - 1), (places - low).float()
