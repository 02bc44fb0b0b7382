"""Softmax: a float island on the real values code * scale; a quantizer on it begins the integers again."""

from __future__ import annotations

import numpy as np

from n2d2py.cells.softmax import Softmax as Cell
from n2d2py.integer.operations import Edge, Softmax
from n2d2py.integer.site import Site
from n2d2py.registry import register


@register("island", "Softmax")
def lower(site: Site) -> None:
    """Probabilities in real numbers: the island has no integer form, and only a quantizer may follow it."""
    cell = site.node.cell
    assert isinstance(cell, Cell)
    (source,) = site.sources
    name = f"{site.name}:probabilities"
    unbounded = np.zeros(site.node.output.channels, dtype=np.int64)
    scale = 1.0 if source.grid is None else source.grid.scale
    operation = Softmax(name, site.name, (source.name,), scale, cell.group_size)
    site.finish(site.add(operation, Edge(name, site.node.output, None, unbounded, unbounded)))
