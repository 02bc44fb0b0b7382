"""Dropout (Srivastava et al. 2014), inverted: kept values are divided by the probability of being kept."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from n2d2py.cells.dropout import Dropout
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Dropout")
class DropoutLayer(Layer):
    """Identity in evaluation."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Dropout)
        self.probability = node.cell.dropout

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.dropout(joined(inputs), self.probability, self.training)

    def evaluate(self, *inputs: Coded) -> Coded:
        return joined_codes(inputs)
