"""Conv: cross-correlation on torch's convolution; connection maps become groups where they are block-diagonal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.base import Layout
from n2d2py.cells.conv import Conv
from n2d2py.graph.network import Node
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.layers.maps import concatenated_map, group_count
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Conv")
class ConvLayer(WeightedLayer):
    """Weights (outputs, channels of a group, height, width).

    SubSample keeps every n-th output, which is the same as a stride n times as long.
    """

    def __init__(self, node: Node) -> None:
        cell = node.cell
        assert isinstance(cell, Conv)
        channels = sum(dims.channels for dims in node.inputs)
        connections = concatenated_map(node)
        self_groups = 1 if connections is None else group_count(connections)
        mask = None
        taps = (cell.kernel[1], cell.kernel[0])
        if connections is not None and self_groups == 1:
            present = torch.from_numpy(np.ascontiguousarray(connections.T))
            mask = present[:, :, None, None].expand(-1, -1, *taps).contiguous()
        super().__init__(node, (cell.nb_outputs, channels // self_groups, *taps), mask)
        self.groups = self_groups
        self.stride = tuple(cell.stride[axis] * cell.sub_sample[axis] for axis in (1, 0))
        self.dilation = (cell.dilation[1], cell.dilation[0])
        self.padding = (cell.padding[1], cell.padding[0])

    def join(self, inputs: Sequence[Tensor]) -> Tensor:
        return joined(inputs)

    def join_codes(self, inputs: Sequence[Coded]) -> Coded:
        return joined_codes(inputs)

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        vertical, horizontal = padding = self.padding
        if min(padding) < 0:
            x, padding = functional.pad(x, (horizontal, horizontal, vertical, vertical)), (0, 0)
        return functional.conv2d(x, weights, biases, self.stride, padding, self.dilation, self.groups)

    def layout(self) -> Layout:
        return super().layout()._replace(groups=self.groups)

    def parts(self) -> list[Tensor]:
        if self.groups > 1:
            return [self.weights]
        return list(self.weights.split([dims.channels for dims in self.node.inputs], dim=1))
