"""Dropout (Srivastava et al. 2014), inverted: kept values are divided by the probability of being kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.dropout import Dropout
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.quant.scaled import Scaled
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

    @property
    def keeps_codes(self) -> bool:
        return True

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        """The scale is divided in place of the codes."""
        x, kept = joined(inputs), 1.0 - self.probability
        if not self.training or kept in (0.0, 1.0):
            return Scaled(functional.dropout(x, self.probability, self.training), scale, high)
        return Scaled(x * torch.empty_like(x).bernoulli_(kept), scale / kept, high)

    def evaluate(self, *inputs: Coded) -> Coded:
        return joined_codes(inputs)
