"""ElemWise: sums of any scales, maxima and products of codes."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from n2d2py.integer.arithmetic import Absolute, Maximum, Product
from n2d2py.integer.operations import Edge
from n2d2py.integer.site import Site
from n2d2py.layers.elemwise import ElemWiseLayer, magnitudes
from n2d2py.layers.joining import united
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("lowering", "ElemWise")
def lower(site: Site) -> None:
    """The operation, then the cell's own activation."""
    layer = site.layer
    assert isinstance(layer, ElemWiseLayer)
    sources = list(site.sources)
    grids = [site.grid_of(edge) for edge in sources]
    if layer.operation == "EuclideanSum":
        raise site.error("a square root gives real values", "use Operation=Sum or AbsSum", "operation")
    if layer.operation == "Max":
        site.finish(_maximum(site, site.same_scale()))
        return
    if layer.operation == "Prod":
        site.finish(_product(site, layer, sources))
        return
    if layer.operation == "AbsSum":
        sources = [_absolute(site, edge, index) for index, edge in enumerate(sources)]
        grids = [site.grid_of(edge) for edge in sources]
    with site.refusing():
        form = layer.sum_form(grids)
    site.finish(site.align(sources, form, "sum", site.node.output))


def _absolute(site: Site, edge: Edge, index: int) -> Edge:
    name, grid = f"{site.name}:absolute{index}", magnitudes(site.grid_of(edge))
    ends = np.abs(np.stack([edge.low, edge.high]))
    low = np.where((edge.low <= 0) & (edge.high >= 0), 0, ends.min(axis=0))
    return site.add(Absolute(name, site.name, (edge.name,)), Edge(name, edge.dims, grid, low, ends.max(axis=0)))


def _maximum(site: Site, sources: list[Edge]) -> Edge:
    name = f"{site.name}:largest"
    grid = united([Coded(torch.empty(0), edge.grid) for edge in sources])
    low, high = (np.max([getattr(edge, end) for edge in sources], axis=0) for end in ("low", "high"))
    operation = Maximum(name, site.name, tuple(edge.name for edge in sources))
    return site.add(operation, Edge(name, site.node.output, grid, low, high))


def _product(site: Site, layer: ElemWiseLayer, sources: list[Edge]) -> Edge:
    forms, grid = layer.product_form([site.grid_of(edge) for edge in sources])
    pairs = enumerate(zip(sources, forms, strict=True))
    factors = [site.shorten(edge, form, f"factor{index}") for index, (edge, form) in pairs]
    corners = [np.prod(ends, axis=0, dtype=np.int64) for ends in product(*((edge.low, edge.high) for edge in factors))]
    name = f"{site.name}:product"
    operation = Product(name, site.name, tuple(edge.name for edge in factors))
    return site.add(operation, Edge(name, site.node.output, grid, np.min(corners, axis=0), np.max(corners, axis=0)))
