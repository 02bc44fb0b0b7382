"""Reshape: the same values in other dimensions."""

from __future__ import annotations

from torch import Tensor

from n2d2py.layers.moving import MovingLayer
from n2d2py.registry import register


@register("layer", "Reshape")
class ReshapeLayer(MovingLayer):
    """X is the fastest axis of a tensor, so that the order of the values is that of torch."""

    def move(self, x: Tensor) -> Tensor:
        return x.reshape(-1, *self.node.output.shape)
