"""Fc: fully connected."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.fc import Fc
from n2d2py.graph.network import Node
from n2d2py.layers.joining import common, flattened, united
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded
from n2d2py.registry import register

_EPSILON = 1e-6


@register("layer", "Fc")
class FcLayer(WeightedLayer):
    """Weights (outputs, inputs), the inputs flattened channel by channel, parent by parent."""

    cell: Fc

    def __init__(self, node: Node) -> None:
        super().__init__(node, (node.output.channels, sum(dims.size for dims in node.inputs)))

    def join(self, inputs: Sequence[Tensor]) -> Tensor:
        return flattened(inputs)

    def join_codes(self, inputs: Sequence[Coded]) -> Coded:
        same = common(inputs)
        if same is None:
            return Coded(flattened([x.real() for x in inputs]))
        if same[0].offset is not None:
            return same[0]
        return Coded(flattened([x.values for x in same]), united(same))

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        return functional.linear(x.flatten(1), weights, biases)[:, :, None, None]

    def parts(self) -> list[Tensor]:
        return list(self.weights.split([dims.size for dims in self.node.inputs], dim=1))

    def full_weights(self) -> Tensor:
        """With Normalize=1 each row has L2 norm 1: w / sqrt(sum of w^2 + 1e-6), in learning written back."""
        if not self.cell.normalize:
            return self.weights
        with torch.no_grad():
            normal = self.weights / torch.sqrt(self.weights.square().sum(1, keepdim=True) + _EPSILON)
            if not self.training:
                return normal
            self.weights.copy_(normal)
        return self.weights

    def connected(self, weights: Tensor) -> Tensor:
        """In learning each connection is kept with probability DropConnect, without rescaling."""
        weights = super().connected(weights)
        if self.training and self.cell.drop_connect < 1.0:
            return weights * torch.empty_like(weights).bernoulli_(self.cell.drop_connect)
        return weights
