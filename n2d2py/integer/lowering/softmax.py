"""Softmax: a float island at the end, on the real logits code * scale."""

from __future__ import annotations

import numpy as np

from n2d2py.cells.softmax import Softmax as Cell
from n2d2py.integer.network import Edge, Softmax
from n2d2py.integer.site import Site
from n2d2py.registry import register


@register("lowering", "Softmax")
def lower(site: Site) -> None:
    """Probabilities in real numbers: the island has no integer form, and nothing integer may follow it."""
    cell = site.node.cell
    assert isinstance(cell, Cell)
    source, grid = site.source()
    unbounded = np.zeros(site.node.output.channels, dtype=np.int64)
    operation = Softmax(site.name, site.name, (source.name,), grid.scale, cell.group_size)
    site.add(operation, Edge(site.name, site.node.output, None, unbounded, unbounded))
