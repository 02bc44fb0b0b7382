"""Cells that move, select or repeat values: Padding, Reshape, Transpose, Resize, Unpool, FMP."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from n2d2py.integer.movement import (
    Axis,
    Interpolation,
    Nearest,
    Pad,
    RegionMaximum,
    Reshaping,
    Transposition,
    Unpooling,
)
from n2d2py.integer.operations import Edge, MaxPool, Operation
from n2d2py.integer.site import Site
from n2d2py.layers.fmp import FMPLayer
from n2d2py.layers.moving import MovingLayer
from n2d2py.layers.padding import PaddingLayer
from n2d2py.layers.resize import ResizeLayer
from n2d2py.layers.transpose import TransposeLayer
from n2d2py.quant.levels import with_zero
from n2d2py.registry import register


@register("lowering", "Padding")
def lower_padding(site: Site) -> None:
    """Zeros around, then the cell's own activation."""
    layer = site.layer
    assert isinstance(layer, PaddingLayer)
    source, _ = site.source()
    _move(site, source, Pad(f"{site.name}:padded", site.name, (source.name,), *layer.sides))


@register("lowering", "Reshape")
def lower_reshape(site: Site) -> None:
    """The same codes, in channels that each may hold any of them."""
    source, _ = site.source()
    _mix(site, source, Reshaping(f"{site.name}:reshaped", site.name, (source.name,)))


@register("lowering", "Transpose")
def lower_transpose(site: Site) -> None:
    """The axes in another order."""
    layer = site.layer
    assert isinstance(layer, TransposeLayer)
    source, _ = site.source()
    operation = Transposition(f"{site.name}:transposed", site.name, (source.name,), layer.perm)
    if layer.perm[1] == 1:
        _move(site, source, operation)
    else:
        _mix(site, source, operation)


@register("lowering", "Resize")
def lower_resize(site: Site) -> None:
    """Nearest codes, or interpolation with integer shares."""
    layer = site.layer
    assert isinstance(layer, ResizeLayer)
    source, grid = site.source()
    name = f"{site.name}:resized"
    if layer.nearest:
        rows, columns = _array(layer.low_rows), _array(layer.low_columns)
        _move(site, source, Nearest(name, site.name, (source.name,), rows, columns))
        return
    form = layer.interpolation(grid)
    source = site.shorten(source, form.short)
    rows_axis, columns_axis = (
        Axis(_array(low), _array(high), _array(share), bits) for low, high, share, bits in (form.rows, form.columns)
    )
    bits = rows_axis.bits + columns_axis.bits
    edge = Edge(name, site.node.output, form.grid, source.low << bits, source.high << bits)
    site.finish(site.add(Interpolation(name, site.name, (source.name,), rows_axis, columns_axis), edge))


@register("lowering", "Unpool")
def lower_unpool(site: Site) -> None:
    """Codes where the maxima of the Pool stood, which are found again from the input of that Pool."""
    source, _ = site.source()
    (pooled,) = site.node.cell.refers_to
    operation = next((other for other in site.before if other.cell == pooled and isinstance(other, MaxPool)), None)
    if operation is None:
        raise site.error(f"{pooled} is no maximum of codes", "let ArgMax name a Pool cell of codes", "arg_max")
    names = (source.name, operation.inputs[0])
    windows = (operation.pool, operation.stride, operation.padding)
    _move(site, source, Unpooling(f"{site.name}:placed", site.name, names, *windows))


@register("lowering", "FMP")
def lower_fmp(site: Site) -> None:
    """Maxima of the regions that a test takes."""
    layer = site.layer
    assert isinstance(layer, FMPLayer)
    source, _ = site.source()
    regions = layer.regions(source.dims.width, source.dims.height)
    rows, columns = (tuple((region.start, region.stop) for region in along) for along in regions)
    _move(site, source, RegionMaximum(f"{site.name}:largest", site.name, (source.name,), rows, columns))


def _move(site: Site, source: Edge, operation: Operation) -> None:
    """Codes stay in their channel."""
    assert isinstance(site.layer, MovingLayer)
    grid = with_zero(site.grid_of(source)) if site.layer.inserts_zeros else None
    if site.layer.inserts_zeros:
        source = replace(source, low=np.minimum(source.low, 0), high=np.maximum(source.high, 0))
    site.finish(site.keep(operation, source, grid))


def _mix(site: Site, source: Edge, operation: Operation) -> None:
    """Codes may go to any channel."""
    low, high = (np.full(site.node.output.channels, end) for end in (source.low.min(), source.high.max()))
    site.finish(site.add(operation, Edge(operation.name, site.node.output, source.grid, low, high)))


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().numpy().astype(np.int64)
