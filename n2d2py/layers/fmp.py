"""FMP: fractional max-pooling (Graham 2014, arXiv:1412.6071)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from n2d2py.cells.fmp import FMP
from n2d2py.graph.network import Node
from n2d2py.layers.moving import MovingLayer
from n2d2py.registry import register

_AT_REST = 0.5
"""The start of the borders in evaluation, where nothing is drawn."""


@register("layer", "FMP")
class FMPLayer(MovingLayer):
    """Learning draws the borders of the regions anew for each batch, from torch's generator on the CPU.

    Evaluation has evenly spread borders, so that it gives the same each time.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, FMP)
        self.cell = node.cell

    def move(self, x: Tensor) -> Tensor:
        rows, columns = self.regions(x.shape[3], x.shape[2])
        return _maxima(_maxima(x, rows, 2), columns, 3)

    def regions(self, width: int, height: int) -> tuple[list[range], list[range]]:
        """The rows and the columns of each region of an input of that size, drawn anew in learning."""
        output = self.node.output
        rows = self._regions(height, output.height)
        return rows, self._regions(width, output.width)

    def _regions(self, size: int, count: int) -> list[range]:
        cuts = self._cuts(size, count)
        ends = [min(cut + self.cell.overlapping, size) for cut in cuts[:-1]] + [size]
        return [range(start, end) for start, end in zip([0, *cuts[:-1]], ends, strict=True)]

    def _cuts(self, size: int, count: int) -> list[int]:
        if self.training and not self.cell.pseudo_random:
            return shuffled_cuts(size, count)
        return spread_cuts(size, count, float(torch.rand(())) if self.training else _AT_REST)


def spread_cuts(size: int, count: int, start: float) -> list[int]:
    """Where regions 0 .. count - 1 of ``size`` values end: ceil(size / count * (i + start)), the last at ``size``.

    >>> spread_cuts(8, 5, 0.5)
    [1, 3, 4, 6, 8]
    """
    return [math.ceil(size / count * (index + start)) for index in range(count - 1)] + [size]


def shuffled_cuts(size: int, count: int) -> list[int]:
    """Ends of ``count`` regions whose widths are the two integers around size / count, in a drawn order."""
    width, wider = divmod(size, count)
    widths = torch.tensor([width + 1] * wider + [width] * (count - wider))
    ends: list[int] = widths[torch.randperm(count)].cumsum(0).tolist()
    return ends


def _maxima(x: Tensor, regions: list[range], axis: int) -> Tensor:
    """The maximum of each region along an axis; of equal values the first has the gradient."""
    widest = max(len(region) for region in regions)
    # Every region is filled up with its own last value, which changes no maximum.
    index = torch.tensor([[region[min(place, len(region) - 1)] for place in range(widest)] for region in regions])
    gathered = x.index_select(axis, index.flatten().to(x.device)).unflatten(axis, (len(regions), widest))
    return gathered.max(axis + 1).values
