"""Fc: an exact matrix product of codes."""

from __future__ import annotations

import numpy as np

from n2d2py.integer.lowering.weighted import Bias, lower_weighted
from n2d2py.integer.network import FullyConnected
from n2d2py.integer.site import Site
from n2d2py.quant.grid import Grid
from n2d2py.registry import register


@register("lowering", "Fc")
def lower(site: Site) -> None:
    """Matrix product, then the cell's own activation."""
    source, inputs = site.source(flat=True)
    places = source.dims.width * source.dims.height

    def make(name: str, weights: np.ndarray, grid: Grid, bias: Bias) -> FullyConnected:
        return FullyConnected(name, site.name, (source.name,), weights, grid, *bias)

    lower_weighted(site, source, inputs, (np.repeat(source.low, places), np.repeat(source.high, places)), make)
