"""Scaling: the input times a number, or times one for each channel."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from n2d2py.cells.scaling import Scaling
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.affine import Affine, Term, affine
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, along_channels
from n2d2py.registry import register


@register("layer", "Scaling")
class ScalingLayer(ActivatedLayer):
    """One factor above 0 scales the grid and leaves the codes as they are; others give wide codes."""

    factors: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Scaling)
        self.register_buffer("factors", torch.tensor(node.cell.factor), persistent=False)
        given = set(node.cell.factor)
        self.one = given.pop() if len(given) == 1 else None
        """The factor of all channels, None if they differ."""

    def before(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs)
        return x * along_channels(self.factors.to(x.dtype), x.dim())

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = fold(joined_codes(inputs))
        if x.grid is None:
            return self.activate_coded(Coded(self.before(x.values)))
        if self.scales_grid:
            return self.activate_coded(Coded(x.values, self.scaled(x.grid)))
        return self.activate_coded(self.affine(x.grid).coded(x.values))

    @property
    def scales_grid(self) -> bool:
        """Whether codes stay as they are."""
        return self.one is not None and self.one > 0

    def scaled(self, grid: Grid) -> Grid:
        """The grid of the output, where codes stay as they are."""
        assert self.one is not None
        return replace(grid, scale=grid.scale * self.one)

    def affine(self, grid: Grid) -> Affine:
        """The integers that multiply codes of ``grid``."""
        factors = self.factors.double() * grid.scale
        return affine([Term(factors.view(-1, *(1 for _ in self.node.output.shape[1:])), grid)])
