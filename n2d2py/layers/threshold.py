"""Threshold: what lies above a value and what does not."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from n2d2py.cells.threshold import Threshold
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.layers.pieces import truncated
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid
from n2d2py.quant.levels import with_zero
from n2d2py.registry import register


@register("layer", "Threshold")
class ThresholdLayer(ActivatedLayer):
    """Where x goes through, so does the gradient; elsewhere it is 0.

    On codes, Binary gives codes 0 and 1 of the scale MaxValue (0 and -1 if it is below 0), ToZero and Truncate codes
    of the input's grid, Truncate of a finer one if the threshold is no code.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Threshold)
        self.cell = node.cell

    def before(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs)
        cell = self.cell
        return self._chosen(x, x > cell.threshold, cell.max_value, cell.threshold)

    def _chosen(self, x: Tensor, above: Tensor, largest: float, threshold: float) -> Tensor:
        operation = self.cell.operation
        if operation == "Binary":
            return torch.where(above, largest, 0.0).to(x.dtype)
        if operation == "BinaryInverted":
            return torch.where(above, 0.0, largest).to(x.dtype)
        if operation == "Truncate":
            return torch.where(above, threshold, x)
        return torch.where(above, x, 0.0) if operation == "ToZero" else torch.where(above, 0.0, x)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = fold(joined_codes(inputs))
        if x.grid is None:
            return self.activate_coded(Coded(self.before(x.values)))
        if self.cell.operation == "Truncate":
            return self.activate_coded(truncated(x.grid, self.cell.threshold)(x.values))
        code, grid = self.chosen_grid(x.grid)
        above = x.values >= self.first_above(x.grid)
        return self.activate_coded(Coded(self._chosen(x.values, above, float(code), 0.0), grid))

    def chosen_grid(self, grid: Grid) -> tuple[int, Grid]:
        """The code of MaxValue, and the grid of the output."""
        if not self.cell.operation.startswith("Binary"):
            return 0, with_zero(grid)
        largest = self.cell.max_value
        if largest == 0:
            return 0, Grid(1.0, 0, 0)
        return (1, Grid(largest, 0, 1)) if largest > 0 else (-1, Grid(-largest, -1, 0))

    def first_above(self, grid: Grid) -> int:
        """The smallest code of which code * scale, rounded to float64, lies above the threshold."""
        code = math.floor(self.cell.threshold / grid.scale)
        while code * grid.scale > self.cell.threshold:
            code -= 1
        while (code + 1) * grid.scale <= self.cell.threshold:
            code += 1
        return code + 1
