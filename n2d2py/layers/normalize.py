"""Normalize: the channels of each pixel as a vector of length 1."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.layers.base import Layer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.registry import register

_EPSILON = 1e-6


@register("layer", "Normalize")
class NormalizeLayer(Layer):
    """y = x / sqrt(sum over the channels of x^2 + 1e-6); real values."""

    def forward(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs)
        return x / torch.sqrt(x.square().sum(1, keepdim=True) + _EPSILON)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return Coded(self(joined_codes(inputs).real()))
