"""Conv: cross-correlation on torch's convolution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.conv import Conv
from n2d2py.graph.network import Node
from n2d2py.layers.kernels import KernelLayer
from n2d2py.quant.layouts import layout_of
from n2d2py.registry import register


@register("layer", "Conv")
class ConvLayer(KernelLayer):
    """SubSample keeps every n-th output, which is the same as a stride n times as long."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Conv)
        self.stride = self.axes(node.cell.steps)

    def slid(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        padding = self.padding
        if min(padding) < 0:
            both = [side for amount in reversed(padding) for side in (amount, amount)]
            x, padding = functional.pad(x, both), (0,) * len(padding)
        stride = self.stride
        if layout_of(x) is torch.channels_last and not any(padding) and max(weights.shape[2:]) == 1 < max(stride):
            # oneDNN of torch 2.13 writes beyond its memory in the backward pass of such a convolution of fewer than 8
            # channels; taking the places that count first is the same.
            x, stride = x[:, :, :: stride[0], :: stride[1]], (1, 1)
        convolve = functional.conv3d if self.in_space else functional.conv2d
        return convolve(x, weights, biases, stride, padding, self.dilation, self.groups)
