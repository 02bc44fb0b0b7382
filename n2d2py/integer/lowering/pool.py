"""Pool: the maximum is exact on codes; an average is an exact sum, its area standing in the scale.

Averages of different numbers of codes have multipliers of their own: wide codes.
"""

from __future__ import annotations

import math

import numpy as np

from n2d2py.integer.operations import Edge, MaxPool, SumPool
from n2d2py.integer.ranges import check_width
from n2d2py.integer.site import Site
from n2d2py.layers.pool import PoolLayer
from n2d2py.registry import register


@register("lowering", "Pool")
def lower(site: Site) -> None:
    """Window, then the cell's own activation."""
    layer = site.layer
    assert isinstance(layer, PoolLayer)
    source, grid = site.source()
    cell, axes = layer.cell, len(layer.window)
    along = (cell.geometry.window[:axes], cell.geometry.stride[:axes], cell.geometry.padding[:axes])
    mapping = None if layer.unit else layer.members.cpu().numpy().T.copy()
    name = f"{site.name}:window"
    if layer.maximum:
        if any(padding >= window for padding, window in zip(layer.padding, layer.window, strict=True)):
            raise site.error("a window lies wholly on the padding", "use a padding smaller than the window", "padding")
        edge = site.add(
            MaxPool(name, site.name, (source.name,), *along, mapping), _maximum(name, site, source, mapping)
        )
        site.finish(edge)
        return
    with site.refusing():
        short, sums, averages = layer.sum_form(grid)
    source = site.shorten(source, short)
    low, high = (np.minimum(source.low, 0), np.maximum(source.high, 0))
    if mapping is not None:
        low, high = low @ mapping.astype(np.int64), high @ mapping.astype(np.int64)
    low, high = (end * math.prod(layer.window) for end in (low, high))
    check_width(low, high, site.name)
    edge = site.add(
        SumPool(name, site.name, (source.name,), *along, mapping), Edge(name, site.node.output, sums, low, high)
    )
    site.finish(edge if averages is None else site.align([edge], averages, "average"))


def _maximum(name: str, site: Site, source: Edge, mapping: np.ndarray | None) -> Edge:
    assert isinstance(site.layer, PoolLayer)
    low, high, grid = source.low, source.high, site.grid_of(source)
    if mapping is not None:
        connected = mapping.any(axis=0)
        low = np.array([source.low[column].max(initial=source.low.min()) for column in mapping.T])
        high = np.array([source.high[column].max(initial=source.low.min()) for column in mapping.T])
        low, high = np.where(connected, low, 0), np.where(connected, high, 0)
        grid = site.layer.grid_of_maximum(grid)
    return Edge(name, site.node.output, grid, low, high)
