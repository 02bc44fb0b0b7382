"""Operations that move codes: concatenation, padding, repetition, interpolation, axes, places of maxima."""

from __future__ import annotations

from itertools import product

import numpy as np

from n2d2py.export.qlinear.graph import EXACT
from n2d2py.export.qonnx.writing import Site
from n2d2py.integer.movement import Interpolation, Nearest, Pad, Transposition, Unpooling
from n2d2py.integer.operations import Concatenation
from n2d2py.registry import register


@register("qonnx operation", "Reshaping")
def reshaping(site: Site) -> None:
    """The same order in other dimensions."""
    value = site.inputs[0]
    site.give(site.shaped(value.name, output=site.operation.name), value.type)


@register("qonnx operation", "Concatenation")
def concatenation(site: Site) -> None:
    """Along the channels; an input of one place stands at every place."""
    operation, graph, made = site.operation, site.graph, site.made.dims
    assert isinstance(operation, Concatenation)
    names, type_ = site.common()
    for index, edge in enumerate(site.sources):
        if operation.flat:
            names[index] = site.shaped(graph.cast(site.inputs[index], type_).name, (edge.dims.size, 1, 1))
        elif edge.dims.shape[1:] != made.shape[1:]:
            names[index] = graph.node("Expand", [names[index], graph.constant([1, 1, *made.shape[1:]], "int64")])
    site.give(graph.node("Concat", names, operation.name, axis=1), type_)


@register("qonnx operation", "Pad")
def pad(site: Site) -> None:
    """Zeros around; a negative side crops."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, Pad)
    zeros = [0] * (len(site.made.dims.shape) - 1)
    sides = [*zeros, operation.top, operation.left, *zeros, operation.bottom, operation.right]
    inputs = [value.name, graph.constant(sides, "int64"), graph.constant(0, value.type)]
    site.give(graph.node("Pad", inputs, operation.name), value.type)


@register("qonnx operation", "Nearest")
def nearest(site: Site) -> None:
    """Rows and columns by their numbers."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, Nearest)
    site.check_flat()
    rows = graph.node("Gather", [value.name, graph.constant(operation.rows, "int64")], axis=2)
    columns = graph.constant(operation.columns, "int64")
    site.give(graph.node("Gather", [rows, columns], operation.name, axis=3), value.type)


@register("qonnx operation", "Interpolation")
def interpolation(site: Site) -> None:
    """Two neighbours with integer shares, along the columns, then along the rows."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Interpolation)
    site.check_flat()
    type_ = site.type_for(site.sources[0].magnitude << operation.rows.bits + operation.columns.bits)
    name = graph.cast(site.inputs[0], type_).name
    for axis, along in ((3, operation.columns), (2, operation.rows)):
        parts = []
        for places, share in ((along.low, (1 << along.bits) - along.share), (along.high, along.share)):
            taken = graph.node("Gather", [name, graph.constant(places, "int64")], axis=axis)
            factors = graph.constant(share.reshape(-1, *[1] * (3 - axis)), type_)
            parts.append(graph.node("Mul", [taken, factors]))
        name = graph.node("Add", parts, operation.name if axis == 2 else None)
    site.give(name, type_)


@register("qonnx operation", "Transposition")
def transposition(site: Site) -> None:
    """Axes in another order."""
    operation, value = site.operation, site.inputs[0]
    assert isinstance(operation, Transposition)
    if operation.axes[0] != 0:
        raise site.no_form("it moves the axis of the batch")
    turned = site.graph.node("Transpose", [value.name], perm=list(operation.axes))
    site.give(site.shaped(turned, output=operation.name), value.type)


@register("qonnx operation", "Unpooling")
def unpooling(site: Site) -> None:
    """Codes at the places of the maxima of their windows.

    For each place t of a window, the windows whose first maximum is at t spread their numbers (from 1, in reading
    order) over the output. A place takes the code of the window with the largest number there, which counts last.
    """
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Unpooling)
    site.check_flat()
    values, source, made = (edge.dims for edge in (*site.sources, site.made))
    (name, other), type_ = site.common()
    site.type_for(values.width * values.height)
    outside = -float(EXACT[type_])
    (py, px), (sy, sx) = operation.padding[::-1], operation.stride[::-1]
    # Windows may reach beyond the padding on the far sides.
    far_y = max(0, (values.height - 1) * sy + operation.pool[1] - source.height - py)
    far_x = max(0, (values.width - 1) * sx + operation.pool[0] - source.width - px)
    pads = graph.constant([0, 0, py, px, 0, 0, far_y, far_x], "int64")
    spread = graph.node("Pad", [other, pads, graph.constant(outside, type_)])
    taps = list(product(range(operation.pool[1]), range(operation.pool[0])))
    seen = [_taken(site, spread, np.arange(values.height) * sy + y, np.arange(values.width) * sx + x) for y, x in taps]
    largest = graph.node("Max", seen) if len(seen) > 1 else seen[0]
    numbers = graph.constant(
        np.arange(1, values.width * values.height + 1).reshape(1, 1, values.height, values.width), type_
    )
    zero, before = graph.constant(0.0, type_), ""
    marks, codes = [], []
    for (y, x), tap in zip(taps, seen, strict=True):
        first = graph.node("Equal", [tap, largest])
        if before:
            first = graph.node("And", [first, graph.node("Less", [before, largest])])
        before = graph.node("Max", [before, tap]) if before else tap
        mark = graph.node("Where", [first, numbers, zero])
        rows, inside_y = _origins(made.height, py - y, sy, values.height)
        columns, inside_x = _origins(made.width, px - x, sx, values.width)
        inside = graph.constant((inside_y[:, None] & inside_x).astype(np.int64), type_)
        marks.append(graph.node("Mul", [_taken(site, mark, rows, columns), inside]))
        codes.append(_taken(site, name, rows, columns))
    last = graph.node("Max", [*marks, zero])
    total = ""
    for mark, code in zip(marks, codes, strict=True):
        here = graph.node("And", [graph.node("Equal", [mark, last]), graph.node("Less", [zero, mark])])
        part = graph.node("Where", [here, code, zero])
        total = graph.node("Add", [total, part]) if total else part
    site.give(graph.node("Identity", [total], operation.name), type_)


def _taken(site: Site, name: str, rows: np.ndarray, columns: np.ndarray) -> str:
    """Some rows and columns."""
    taken = site.graph.node("Gather", [name, site.graph.constant(rows, "int64")], axis=2)
    return site.graph.node("Gather", [taken, site.graph.constant(columns, "int64")], axis=3)


def _origins(size: int, shift: int, stride: int, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """For each place along an axis the window w with w * stride = place + shift, or 0, and whether there is one."""
    wanted = np.arange(size) + shift
    inside = (wanted % stride == 0) & (wanted >= 0) & (wanted // stride < windows)
    return np.where(inside, wanted // stride, 0), inside
