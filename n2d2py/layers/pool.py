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
from n2d2py.quant.affine import Affine, Term, affine, narrowed
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, along_channels, exact_dtype, product_dtype
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import register

_SUM_BITS = 50


@register("layer", "Pool")
class PoolLayer(ActivatedLayer):
    """A unit map pools each channel alone; without a map every output pools over all channels.

    Padding never wins a maximum, and counts as zeros in an average, which divides by the whole window (times the
    number of connected channels).
    """

    members: Tensor
    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    """Along [depth,] height and width."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, Pool)
        self.cell = cell
        self.maximum = cell.pooling == "Max"
        geometry = cell.geometry
        self.in_space = geometry.in_space or max(dims.depth for dims in node.inputs) > 1
        along = (geometry.window, geometry.stride, geometry.padding)
        self.window, self.stride, self.padding = (axes[::-1] if self.in_space else axes[1::-1] for axes in along)
        self.keeps_places = False
        """Whether the places of the maxima are kept, for an Unpool."""
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
        return self.passes_codes and (self.maximum or (self.count is not None and self.cell.divides_evenly))

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
        x = fold(joined_codes(inputs))
        if x.grid is None:
            return self.activate_coded(Coded(self._pooled_real(x.values)))
        if self.maximum:
            return self.activate_coded(Coded(self._highest(x.values), self.grid_of_maximum(x.grid)))
        short, grid, averages = self.sum_form(x.grid)
        values = x.values if short is None else short(x.values)
        sums = self._summed(values.to(product_dtype(grid.magnitude)))
        return self.activate_coded(Coded(sums, grid) if averages is None else averages.coded(sums))

    def sum_form(self, grid: Grid) -> tuple[Affine | None, Grid, Affine | None]:
        """How codes are averaged: what shortens them first, the grid of their sums, what makes averages of these.

        Where every output is the average of as many codes, the sums are averages already, on a finer grid.
        """
        most = math.prod(self.window) * max(1, int(self.members.sum(1).max()))
        short = narrowed(grid, _SUM_BITS - most.bit_length())
        grid = grid if short is None else short.grid
        even = self.count is not None and self.cell.divides_evenly
        low, high = min(grid.low, 0) * most, max(grid.high, 0) * most
        if even:
            return short, Grid(grid.scale / most, low, high), None
        sums = Grid(grid.scale, low, high)
        return short, sums, affine([Term(grid.scale / self._divisors(), sums)])

    def _divisors(self) -> Tensor:
        """How many values each output averages, float64 (channels or 1, [depth,] height and width or 1)."""
        shape = self.node.output.shape
        counts = torch.ones(1) if self.unit else self.members.sum(1).clamp_min(1)
        divisors = counts.double().view(-1, *(1 for _ in shape[1:])) * math.prod(self.window)
        if self.cell.divides_evenly:
            return divisors
        first = self.node.inputs[0]
        ones = torch.ones((1, 1, *first._replace(channels=1).shape[1:]), device=self.members.device)
        inside = self._windowed(ones)[0].clamp_min(1).double()
        return divisors / math.prod(self.window) * inside

    def _pooled_real(self, x: Tensor) -> Tensor:
        if self.maximum:
            return self._highest(x)
        area: Tensor | int = math.prod(self.window)
        if not self.cell.divides_evenly:
            area = self._windowed(torch.ones_like(x[:1, :1])).clamp_min(1)  # 0 where a window is all padding
        if self.unit:
            return self._summed(x) / area
        counts = self.members.sum(1).clamp_min(1)
        return self._summed(x) / (along_channels(counts, len(self.node.output.shape) + 1) * area)

    def grid_of_maximum(self, grid: Grid) -> Grid:
        """The grid of the maxima of codes of ``grid``."""
        if bool(self.members.any(1).all()):
            return grid
        return Grid(grid.scale, min(grid.low, 0), max(grid.high, 0))  # an output without channels gives 0

    def last_places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Depth, row and column of each maximum of the last pass; with padding they may lie outside the input."""
        index, (_, rows, columns), shift = self._places
        depth, row, column = index // (rows * columns), index // columns % rows, index % columns
        return depth - shift[0], row - shift[1], column - shift[2]

    def _highest(self, x: Tensor) -> Tensor:
        x, padding, shift = self._padded(x, -math.inf)
        if self.keeps_places:
            pool = functional.max_pool3d if self.in_space else functional.max_pool2d
            y, index = pool(x, self.window, self.stride, padding, return_indices=True)
            missing = (0,) * (3 - len(shift))
            self._places = (index, (1, *x.shape[-2:]), (*missing, *shift))
        elif self.in_space:
            y = functional.max_pool3d(x, self.window, self.stride, padding)
        else:
            y = max_pool(x, self.window, self.stride, padding)
        y = self._fitting(y)
        return y if self.unit else self._over_channels(y)

    def _padded(self, x: Tensor, value: float) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]]:
        """(x, the padding that is left to torch, what was padded here): torch pads at most half a window."""
        none = (0,) * len(self.padding)
        if self.in_space and x.dim() == 4:
            x = x.unsqueeze(2)
        if all(2 * padding <= window for padding, window in zip(self.padding, self.window, strict=True)):
            return x, self.padding, none
        sides = [side for amount in reversed(self.padding) for side in (amount, amount)]
        return functional.pad(x, sides, value=value), none, self.padding

    def _fitting(self, y: Tensor) -> Tensor:
        return y.squeeze(2) if self.in_space and self.node.output.depth == 1 else y

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
        y = self._windowed(x)
        if self.unit:
            return y
        if self.members.shape[0] and bool(self.members.all()):
            return y.sum(1, keepdim=True).expand(-1, self.members.shape[0], *y.shape[2:])
        return torch.einsum("bc...,oc->bo...", y, self.members.to(y.dtype))

    def _windowed(self, x: Tensor) -> Tensor:
        """Sum over the window of each channel."""
        x, padding, _ = self._padded(x, 0.0)
        pool = functional.avg_pool3d if self.in_space else functional.avg_pool2d
        return self._fitting(pool(x, self.window, self.stride, padding, divisor_override=1))
