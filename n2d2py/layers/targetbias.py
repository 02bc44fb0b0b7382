"""TargetBias: the channel of the label gets a head start while learning."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.targetbias import TargetBias
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "TargetBias")
class TargetBiasLayer(Layer):
    """Without labels, and in evaluation, y = x."""

    wants_labels = True

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, TargetBias)
        self.bias = node.cell.bias

    def forward(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs)
        if not self.training or self.labels is None:
            return x
        wanted = of_labels(self.labels(x), x)
        # A sum has the gradient of x alone: the bias is a constant.
        return x + torch.where(wanted & (x > -self.bias), self.bias, 0.0)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return joined_codes(inputs)


def of_labels(labels: Tensor, x: Tensor) -> Tensor:
    """Which values of x (batch, channels, ..) belong to the label of their place, bool; labels below 0 to none.

    ``labels`` (int64) are (batch,), or (batch, ..) with the places of x.
    """
    space = labels.shape[1:] if labels.dim() == x.dim() - 1 else (1,) * (x.dim() - 2)
    channels = torch.arange(x.shape[1], device=x.device).view(-1, *(1 for _ in space))
    return labels.reshape(-1, 1, *space) == channels
