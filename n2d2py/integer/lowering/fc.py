"""Fc: an exact matrix product of codes."""

from __future__ import annotations

import numpy as np

from n2d2py.integer.lowering.weighted import Bias, lower_weighted
from n2d2py.integer.operations import Edge, FullyConnected
from n2d2py.integer.site import Site
from n2d2py.quant.grid import Grid
from n2d2py.registry import register


@register("lowering", "Fc")
def lower(site: Site) -> None:
    """Matrix product, then the cell's own activation."""
    source, _ = site.source(flat=True)

    def bounds(source: Edge) -> tuple[np.ndarray, np.ndarray]:
        places = source.dims.size // source.dims.channels
        return np.repeat(source.low, places), np.repeat(source.high, places)

    def make(name: str, source: str, weights: np.ndarray, grid: Grid, bias: Bias) -> FullyConnected:
        return FullyConnected(name, site.name, (source,), weights, grid, *bias)

    lower_weighted(site, source, bounds, make)
