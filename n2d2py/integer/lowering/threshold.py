"""Threshold: a comparison of codes with the first one above the threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from n2d2py.cells.threshold import Threshold
from n2d2py.integer.arithmetic import Comparison, Pieces
from n2d2py.integer.operations import Edge
from n2d2py.integer.site import Site
from n2d2py.layers.pieces import truncated
from n2d2py.layers.threshold import ThresholdLayer
from n2d2py.registry import register


@register("lowering", "Threshold")
def lower(site: Site) -> None:
    """The comparison, then the cell's own activation."""
    layer, cell = site.layer, site.node.cell
    assert isinstance(layer, ThresholdLayer)
    assert isinstance(cell, Threshold)
    source, grid = site.source()
    name = f"{site.name}:compared"
    if cell.operation == "Truncate":
        with site.refusing():
            form = truncated(grid, cell.threshold)
        source, form = site.shorten(source, form.before, "fine"), replace(form, before=None)
        low, high = (form(torch.from_numpy(end)).values.numpy().astype(np.int64) for end in (source.low, source.high))
        operation = Pieces(name, site.name, (source.name,), form.slope, form.shift, form.low, form.high)
        site.finish(site.add(operation, Edge(name, site.node.output, form.grid, low, high)))
        return
    code, grid = layer.chosen_grid(grid)
    first = layer.first_above(site.grid_of(source))
    comparison = Comparison(name, site.name, (source.name,), cell.operation, first, code)
    if cell.operation.startswith("Binary"):
        low, high = (np.full_like(source.low, end) for end in (min(code, 0), max(code, 0)))
    else:
        low, high = np.minimum(source.low, 0), np.maximum(source.high, 0)
    site.finish(site.add(comparison, Edge(name, site.node.output, grid, low, high)))
