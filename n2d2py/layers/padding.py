"""Padding: zeros around the input; below 0 a side is cropped."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from n2d2py.cells.padding import Padding
from n2d2py.graph.network import Node
from n2d2py.layers.moving import MovingLayer
from n2d2py.registry import register


@register("layer", "Padding")
class PaddingLayer(MovingLayer):
    """The code 0 is a real 0, so that padded codes are codes."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, Padding)
        self.sides = (cell.left, cell.right, cell.top, cell.bottom)

    @property
    def inserts_zeros(self) -> bool:
        return max(self.sides) > 0

    def move(self, x: Tensor) -> Tensor:
        return functional.pad(x, self.sides)
