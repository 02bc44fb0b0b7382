"""Pool: maximum or average over a window, then over the channels that the connection map joins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.pool import Pool
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.layers.maps import concatenated_map
from n2d2py.layers.maxpool import max_pool
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, exact_dtype, product_dtype
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import register


@register("layer", "Pool")
class PoolLayer(ActivatedLayer):
    """A unit map pools each channel alone; without a map every output pools over all channels.

    Padding never wins a maximum, and counts as zeros in an average, which divides by the whole window (times the
    number of connected channels).
    """

    members: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, Pool)
        self.cell = cell
        self.maximum = cell.pooling == "Max"
        self.window = (cell.pool[1], cell.pool[0])
        self.stride = (cell.stride[1], cell.stride[0])
        self.padding = (cell.padding[1], cell.padding[0])
        channels = sum(dims.channels for dims in node.inputs)
        connections = concatenated_map(node)
        if connections is None:
            connections = np.ones((channels, node.output.channels), dtype=bool)
        self.unit = np.array_equal(connections, np.eye(channels, node.output.channels, dtype=bool)) and (
            channels == node.output.channels
        )
        counts = connections.sum(0)
        self.count = int(counts[0]) if len(set(counts.tolist())) == 1 and counts[0] else None
        """Channels of each output, None if outputs differ in it."""
        self.register_buffer("members", torch.from_numpy(np.ascontiguousarray(connections.T)), persistent=False)

    @property
    def keeps_codes(self) -> bool:
        return self.passes_codes and (self.maximum or self.count is not None)

    @property
    def terms(self) -> int:
        """Values of which one output is the average."""
        assert self.count is not None
        return math.prod(self.window) * self.count

    def before(self, *inputs: Tensor) -> Tensor:
        return self._pooled_real(joined(inputs))

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        """An average is the sum of the codes, of a scale divided by their number."""
        x = joined(inputs)
        if self.maximum:
            return Scaled(self.activate(self._highest(x), own=False), scale, high)
        high *= self.terms
        if exact_dtype(high) != torch.float32:
            return self.forward_reals(x * scale)
        return Scaled(self.activate(self._summed(x), own=False), scale / self.terms, high)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = joined_codes(inputs)
        if x.grid is None or (not self.maximum and self.count is None):
            return self.activate_coded(Coded(self._pooled_real(x.real())))
        x = fold(x)
        assert x.grid is not None
        if self.maximum:
            return self.activate_coded(Coded(self._highest(x.values), self._grid_of_maximum(x.grid)))
        terms = self.terms
        low, high = min(x.grid.low, 0) * terms, max(x.grid.high, 0) * terms
        grid = Grid(x.grid.scale / terms, low, high)
        return self.activate_coded(Coded(self._summed(x.values.to(product_dtype(grid.magnitude))), grid))

    def _pooled_real(self, x: Tensor) -> Tensor:
        if self.maximum:
            return self._highest(x)
        area = math.prod(self.window)
        if self.unit:
            return self._summed(x) / area
        return self._summed(x) / (self.members.sum(1).clamp_min(1)[:, None, None] * area)

    def _grid_of_maximum(self, grid: Grid) -> Grid:
        if bool(self.members.any(1).all()):
            return grid
        return Grid(grid.scale, min(grid.low, 0), max(grid.high, 0))  # an output without channels gives 0

    def _highest(self, x: Tensor) -> Tensor:
        vertical, horizontal = padding = self.padding
        if 2 * vertical > self.window[0] or 2 * horizontal > self.window[1]:
            x = functional.pad(x, (horizontal, horizontal, vertical, vertical), value=-math.inf)
            padding = (0, 0)
        x = max_pool(x, self.window, self.stride, padding)
        return x if self.unit else self._over_channels(x)

    def _over_channels(self, x: Tensor) -> Tensor:
        """The maximum of the channels of each output; its gradient goes to the first channel that has it."""
        known: dict[bytes, Tensor] = {}
        outputs = []
        for row in self.members.cpu():
            key = row.numpy().tobytes()
            if key not in known:
                chosen = torch.nonzero(row).flatten().to(x.device)
                known[key] = x[:, chosen].max(dim=1).values if len(chosen) else x.new_zeros(x[:, 0].shape)
            outputs.append(known[key])
        return torch.stack(outputs, dim=1)

    def _summed(self, x: Tensor) -> Tensor:
        """Sum over the window (and the connected channels), zeros for padding; exact on codes."""
        vertical, horizontal = padding = self.padding
        if 2 * vertical > self.window[0] or 2 * horizontal > self.window[1]:
            x, padding = functional.pad(x, (horizontal, horizontal, vertical, vertical)), (0, 0)
        x = functional.avg_pool2d(x, self.window, self.stride, padding, divisor_override=1)
        if self.unit:
            return x
        if self.members.shape[0] and bool(self.members.all()):
            return x.sum(1, keepdim=True).expand(-1, self.members.shape[0], -1, -1)
        return torch.einsum("bchw,oc->bohw", x, self.members.to(x.dtype))
