"""How each operation is written in QONNX."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from n2d2py.export.qlinear.fitting import steps_of
from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qonnx.writing import DOMAIN, Site, quant, weights
from n2d2py.integer.network import (
    Concatenation,
    Convolution,
    FullyConnected,
    MaxPool,
    Pooling,
    Requantization,
    SumPool,
    Weighted,
)
from n2d2py.registry import register


def _weights(site: Site, operation: Weighted, codes: np.ndarray) -> str:
    grid = operation.weights_grid
    return weights(
        site.graph, operation.cell, codes, grid.low, grid.high, grid.step, bool(grid.uneven) or operation.zero_is_extra
    )


def _bound(site: Site, operation: Weighted) -> int:
    largest = int(np.abs(operation.weights.reshape(len(operation.weights), -1)).sum(axis=1).max(initial=0))
    return largest * max(site.sources[0].magnitude, 1)


def _with_bias(site: Site, operation: Weighted, sums: Value) -> None:
    graph, type_ = site.graph, site.type_for(2 * site.made.magnitude + 1)
    if operation.bias is None:
        site.give(replace(sums, name=graph.node("Identity", [sums.name], operation.name)))
        return
    wide = graph.cast(sums, "double" if "double" in (type_, sums.type) else "float")
    shifted = graph.node("Mul", [wide.name, graph.constant(float(1 << operation.bias_shift), wide.type)])
    bias = graph.channelled(operation.bias, wide.type)
    site.give(Value(graph.node("Add", [shifted, bias], operation.name), wide.type))


@register("qonnx operation", "Convolution")
def convolution(site: Site) -> None:
    """Conv on codes, in float32."""
    operation = site.operation
    assert isinstance(operation, Convolution)
    if _bound(site, operation) >= EXACT["float"]:
        raise site.no_form("its sums need more than 24 bits, which float32 does not hold")
    if min(operation.padding) < 0 or len(operation.padding) > 2:
        raise site.no_form("its padding is negative, or it has a depth")
    (sx, sy), (bx, by), (px, py), (dx, dy) = (
        (pair[0], pair[1]) for pair in (operation.stride, operation.sub_sample, operation.padding, operation.dilation)
    )
    name = site.graph.node(
        "Conv",
        [site.graph.cast(site.inputs[0], "float").name, _weights(site, operation, operation.weights)],
        kernel_shape=list(operation.weights.shape[2:]),
        strides=[sy * by, sx * bx],
        pads=[py, px, py, px],
        dilations=[dy, dx],
        group=operation.groups,
    )
    _with_bias(site, operation, Value(name, "float"))


@register("qonnx operation", "FullyConnected")
def fully_connected(site: Site) -> None:
    """MatMul on codes, in float64 where float32 is too narrow."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, FullyConnected)
    type_ = site.type_for(_bound(site, operation))
    flat = graph.node("Flatten", [graph.cast(site.inputs[0], type_).name], axis=1)
    codes = graph.cast(Value(_weights(site, operation, operation.weights.T), "float"), type_).name
    product = graph.node("MatMul", [flat, codes])
    shape = graph.constant([0, len(operation.weights), 1, 1], "int64")
    _with_bias(site, operation, Value(graph.node("Reshape", [product, shape]), type_))


@register("qonnx operation", "Requantization")
def requantization(site: Site) -> None:
    """MultiThreshold: the number of thresholds that sign * accumulator reaches; a Quant node says the bits.

    float32 accumulators meet thresholds that are rounded to float32 where neither loses anything.
    """
    operation, graph, edge = site.operation, site.graph, site.sources[0]
    assert isinstance(operation, Requantization)
    if edge.magnitude + 1 >= EXACT["float"]:
        raise site.no_form("its accumulators need more than 24 bits, which float32 does not hold")
    if operation.levels or operation.step != 1:
        raise site.no_form("its codes are not consecutive")
    highest = operation.rescaling.highest
    steps = steps_of(operation.rescaling, edge)
    never, always = float(EXACT["float"]), -float(EXACT["float"])
    rows = np.full((len(steps), highest), never)
    for row, one in zip(rows, steps, strict=True):
        row[: one.least] = always
        row[one.numbers - 1] = one.first
    signed = graph.cast(site.inputs[0], "float").name
    if any(one.sign < 0 for one in steps):
        signed = graph.node("Mul", [signed, graph.channelled([one.sign for one in steps], "float")])
    bits = max(1, highest.bit_length())
    counted = graph.node(
        "MultiThreshold", [signed, graph.constant(rows, "float")], domain=DOMAIN, out_dtype=f"UINT{bits}"
    )
    name = operation.name
    number = quant(graph, counted, 1.0, 0.0, bits, False, name if operation.low == 0 else f"{name}/number")
    if operation.low:
        number = graph.node("Add", [number, graph.constant(float(operation.low), "float")], name)
    site.give(Value(number, "float"))


@register("qonnx operation", "MaxPool")
def max_pool(site: Site) -> None:
    """The largest of each window, then of the channels of each map."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, MaxPool)
    value = site.inputs[0]
    if operation.mapping is None:
        site.give(replace(value, name=graph.node("MaxPool", [value.name], operation.name, **_window(site, operation))))
        return
    name, columns = graph.node("MaxPool", [value.name], **_window(site, operation)), []
    for column in operation.mapping.T:
        taken = np.flatnonzero(column) if column.any() else np.array([0])
        part = graph.node("Gather", [name, graph.constant(taken, "int64")], axis=1)
        largest = graph.node("ReduceMax", [part], axes=[1], keepdims=1)
        columns.append(largest if column.any() else graph.node("Sub", [largest, largest]))
    site.give(replace(value, name=graph.node("Concat", columns, operation.name, axis=1)))


@register("qonnx operation", "SumPool")
def sum_pool(site: Site) -> None:
    """A convolution with ones."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, SumPool)
    if site.sources[0].magnitude * operation.area >= EXACT["float"]:
        raise site.no_form("its sums need more than 24 bits, which float32 does not hold")
    channels, window = site.sources[0].dims.channels, _window(site, operation)
    ones, groups = np.ones((channels, 1, *window["kernel_shape"])), channels
    if operation.mapping is not None:
        shape = (*operation.mapping.T.shape, *window["kernel_shape"])
        ones, groups = np.broadcast_to(operation.mapping.T[:, :, None, None], shape), 1
    inputs = [graph.cast(site.inputs[0], "float").name, graph.constant(ones, "float")]
    site.give(Value(graph.node("Conv", inputs, operation.name, group=groups, **window), "float"))


def _window(site: Site, operation: Pooling) -> dict[str, Any]:
    if len(operation.pool) > 2:
        raise site.no_form("its window has a depth")
    (width, height), (sx, sy), (px, py) = (
        (pair[0], pair[1]) for pair in (operation.pool, operation.stride, operation.padding)
    )
    return {"kernel_shape": [height, width], "strides": [sy, sx], "pads": [py, px, py, px]}


@register("qonnx operation", "Concatenation")
def concatenation(site: Site) -> None:
    """Along the channels."""
    operation, graph, made = site.operation, site.graph, site.made.dims
    assert isinstance(operation, Concatenation)
    type_ = "double" if any(value.type == "double" for value in site.inputs) else "float"
    names = []
    for value, edge in zip(site.inputs, site.sources, strict=True):
        name = graph.cast(value, type_).name
        if operation.flat:
            name = graph.node("Reshape", [name, graph.constant([0, -1, 1, 1], "int64")])
        elif (edge.dims.width, edge.dims.height) != (made.width, made.height):
            name = graph.node("Expand", [name, graph.constant([1, 1, made.height, made.width], "int64")])
        names.append(name)
    site.give(Value(graph.node("Concat", names, operation.name, axis=1), type_))


@register("qonnx operation", "Identity")
def identity(site: Site) -> None:
    """The codes as they are."""
    value = site.inputs[0]
    site.give(replace(value, name=site.graph.node("Identity", [value.name], site.operation.name)))


@register("qonnx operation", "Rectification")
def rectification(site: Site) -> None:
    """Negative codes become 0."""
    value = site.inputs[0]
    zero = site.graph.constant(0.0, value.type)
    site.give(replace(value, name=site.graph.node("Max", [value.name, zero], site.operation.name)))


@register("qonnx operation", "Reshaping")
def reshaping(site: Site) -> None:
    """The same order in other dimensions."""
    value, shape = site.inputs[0], site.graph.constant([-1, *site.made.dims.shape], "int64")
    site.give(replace(value, name=site.graph.node("Reshape", [value.name, shape], site.operation.name)))
