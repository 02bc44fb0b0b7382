"""Transpose: the axes in another order."""

from __future__ import annotations

from torch import Tensor

from n2d2py.cells.transpose import Transpose
from n2d2py.graph.network import Node
from n2d2py.layers.moving import MovingLayer
from n2d2py.registry import register


@register("layer", "Transpose")
class TransposeLayer(MovingLayer):
    """``Perm`` counts the axes from X on, torch from the batch on."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Transpose)
        last = len(node.cell.perm) - 1
        self.perm = tuple(last - axis for axis in reversed(node.cell.perm))

    def move(self, x: Tensor) -> Tensor:
        y = x.permute(self.perm)
        return y.reshape(y.shape[0], *self.node.output.shape)
