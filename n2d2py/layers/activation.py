"""Activation: an activation function, and perhaps a quantizer, as a cell of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import register


@register("layer", "Activation")
class ActivationLayer(ActivatedLayer):
    """y = f(x) of all inputs, concatenated; x belongs to the parent and is not written into."""

    @property
    def takes_offset(self) -> bool:
        return len(self.node.parents) == 1 and self.quantizer is not None

    @property
    def keeps_codes(self) -> bool:
        return self.passes_codes

    def before(self, *inputs: Tensor) -> Tensor:
        return joined(inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(joined(inputs), own=len(inputs) > 1)

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        return Scaled(self.activate(joined(inputs), own=False), scale, high)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return self.activate_coded(joined_codes(inputs))
