"""Pool: the maximum is exact on codes; an average is an exact sum, its area standing in the scale."""

from __future__ import annotations

import math

import numpy as np

from n2d2py.cells.pool import Pool
from n2d2py.integer.network import Edge, MaxPool, Pooling, SumPool
from n2d2py.integer.ranges import check_width
from n2d2py.integer.site import Site
from n2d2py.layers.pool import PoolLayer
from n2d2py.quant.grid import Grid
from n2d2py.registry import register


@register("lowering", "Pool")
def lower(site: Site) -> None:
    """Window, then the cell's own activation."""
    cell, layer = site.node.cell, site.layer
    assert isinstance(cell, Pool)
    assert isinstance(layer, PoolLayer)
    source, grid = site.source()
    if any(padding >= window for padding, window in zip(cell.padding, cell.pool, strict=True)):
        raise site.error("a window lies wholly on the padding", "use a padding smaller than the window", "padding")
    mapping = None if layer.unit else layer.members.cpu().numpy().T.copy()
    name = f"{site.name}:window" if site.activates else site.name
    kind: type[Pooling] = MaxPool if layer.maximum else SumPool
    pool, stride, padding = ((axes[0], axes[1]) for axes in (cell.pool, cell.stride, cell.padding))
    operation = kind(name, site.name, (source.name,), pool, stride, padding, mapping)
    if layer.maximum:
        edge = _maximum(name, site, source, grid, mapping)
    else:
        edge = _sum(name, site, source, grid, mapping, layer.count)
    site.add(operation, edge)
    if site.activates:
        site.activate(edge)


def _maximum(name: str, site: Site, source: Edge, grid: Grid, mapping: np.ndarray | None) -> Edge:
    low, high = source.low, source.high
    if mapping is not None:
        connected = mapping.any(axis=0)
        low = np.array([source.low[column].max(initial=source.low.min()) for column in mapping.T])
        high = np.array([source.high[column].max(initial=source.low.min()) for column in mapping.T])
        low, high = np.where(connected, low, 0), np.where(connected, high, 0)
        if not connected.all():
            grid = Grid(grid.scale, min(grid.low, 0), max(grid.high, 0))
    return Edge(name, site.node.output, grid, low, high)


def _sum(name: str, site: Site, source: Edge, grid: Grid, mapping: np.ndarray | None, count: int | None) -> Edge:
    if count is None:
        raise site.error(
            "its outputs average different numbers of channels, so that they have different scales",
            "give every output the same number of channels (Mapping.NbGroups), or Mapping.Size=1",
            "mapping",
        )
    cell = site.node.cell
    assert isinstance(cell, Pool)
    terms = math.prod(cell.pool) * count
    places = np.eye(source.dims.channels, dtype=np.int64) if mapping is None else mapping.astype(np.int64)
    low = (np.minimum(source.low, 0) @ places) * math.prod(cell.pool)
    high = (np.maximum(source.high, 0) @ places) * math.prod(cell.pool)
    check_width(low, high, site.name)
    sums = Grid(grid.scale / terms, min(grid.low, 0) * terms, max(grid.high, 0) * terms)
    return Edge(name, site.node.output, sums, low, high)
