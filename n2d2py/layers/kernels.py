"""What Conv and Deconv have in common: groups, masks, given kernels, one to three axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from n2d2py.cells.base import Layout
from n2d2py.cells.kernels import KernelCell
from n2d2py.graph.network import Node
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.layers.maps import concatenated_map, group_count
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded


class KernelLayer(WeightedLayer):
    """Weights (outputs, channels of a group, [depth,] height, width), with a depth if there is one to slide along.

    Connection maps become groups where they are block-diagonal with equal blocks, else a mask.
    """

    cell: KernelCell

    def __init__(self, node: Node) -> None:
        cell = node.cell
        assert isinstance(cell, KernelCell)
        geometry = cell.geometry
        in_space = geometry.in_space or max(dims.depth for dims in node.inputs) > 1
        taps = _torch_axes(geometry.window, in_space)
        channels = sum(dims.channels for dims in node.inputs)
        connections = concatenated_map(node)
        groups = 1 if connections is None else group_count(connections)
        mask = None
        if connections is not None and groups == 1:
            present = torch.from_numpy(np.ascontiguousarray(connections.T))
            mask = present.view(*present.shape, *(1 for _ in taps)).expand(-1, -1, *taps).contiguous()
        super().__init__(node, (cell.nb_outputs, channels // groups, *taps), mask)
        self.groups = groups
        self.in_space = in_space
        self.stride = self.axes(geometry.stride)
        self.padding = self.axes(geometry.padding)
        self.dilation = self.axes(geometry.dilation)

    def axes(self, along: tuple[int, int, int]) -> tuple[int, ...]:
        """Numbers along X, Y and Z in torch's order: [depth,] height, width."""
        return _torch_axes(along, self.in_space)

    def join(self, inputs: Sequence[Tensor]) -> Tensor:
        return joined(inputs)

    def join_codes(self, inputs: Sequence[Coded]) -> Coded:
        return joined_codes(inputs)

    def slid(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        """The kernels on x (batch, channels, [depth,] height, width), which has as many axes as they."""
        raise NotImplementedError

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        if not self.in_space:
            return self.slid(x, weights, biases)
        y = self.slid(x.unsqueeze(2) if x.dim() == 4 else x, weights, biases)
        return y.squeeze(2) if self.node.output.depth == 1 else y

    def layout(self) -> Layout:
        return super().layout()._replace(groups=self.groups)

    def parts(self) -> list[Tensor]:
        if self.groups > 1:
            return [self.weights]
        return list(self.weights.split([dims.channels for dims in self.node.inputs], dim=1))

    @torch.no_grad()
    def fill(self, generator: torch.Generator) -> None:
        super().fill(generator)
        for pair, given in self.cell.given_kernels.items():
            kernel = self.weights.new_tensor(given.values).view(self.weights.shape[2:])
            if given.normalize:
                kernel /= kernel.abs().sum()
            if pair is None:
                self.weights.copy_(kernel.expand_as(self.weights))
            else:
                self._place(kernel, *pair)
        if self.mask is not None:
            self.weights.mul_(self.mask)

    def _place(self, kernel: Tensor, channel: int, output: int) -> None:
        """Set the kernel of a channel of the cell and an output, if the map connects them."""
        outputs, width = self.weights.shape[0] // self.groups, self.weights.shape[1]
        if channel // width == output // outputs:
            self.weights[output, channel % width] = kernel


def _torch_axes(along: tuple[int, int, int], in_space: bool) -> tuple[int, ...]:
    return along[::-1] if in_space else along[1::-1]
