"""Maxima and sums of windows, of regions, and of the channels of a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from n2d2py.export.qonnx.digits import by_digits
from n2d2py.export.qonnx.writing import Site
from n2d2py.integer.movement import RegionMaximum
from n2d2py.integer.operations import MaxPool, Pooling, SumPool
from n2d2py.registry import register


@register("qonnx operation", "MaxPool")
def max_pool(site: Site) -> None:
    """The largest of each window, then of the channels of each map."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, MaxPool)
    value = site.inputs[0]
    largest = graph.node("MaxPool", [site.spatial(value, len(operation.pool))], **_window(operation))
    if operation.mapping is not None:
        columns = []
        for column in operation.mapping.T:
            taken = np.flatnonzero(column) if column.any() else np.array([0])
            part = graph.node("Gather", [largest, graph.constant(taken, "int64")], axis=1)
            most = graph.node("ReduceMax", [part], axes=[1], keepdims=1)
            columns.append(most if column.any() else graph.node("Sub", [most, most]))
        largest = graph.node("Concat", columns, axis=1)
    site.give(site.shaped(largest, output=operation.name), value.type)


@register("qonnx operation", "SumPool")
def sum_pool(site: Site) -> None:
    """A convolution with ones, in float32; digits of wider codes are summed one after the other."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, SumPool)
    channels, window = site.sources[0].dims.channels, _window(operation)
    ones, groups = np.ones((channels, 1, *window["kernel_shape"])), channels
    if operation.mapping is not None:
        columns = operation.mapping.T.reshape(*operation.mapping.T.shape, *[1] * len(operation.pool))
        ones, groups = np.broadcast_to(columns, (*operation.mapping.T.shape, *window["kernel_shape"])), 1
    kernel = graph.constant(ones, "float")

    def sums(x: str) -> str:
        return graph.node("Conv", [x, kernel], group=groups, **window)

    total = by_digits(site, site.inputs[0], operation.area, len(operation.pool), sums)
    site.give(graph.node("Identity", [total.name], operation.name), total.type)


def _window(operation: Pooling) -> dict[str, Any]:
    return {
        "kernel_shape": list(operation.pool[::-1]),
        "strides": list(operation.stride[::-1]),
        "pads": list(operation.padding[::-1]) * 2,
    }


@register("qonnx operation", "RegionMaximum")
def region_maximum(site: Site) -> None:
    """The largest of the rows of each region, then of its columns."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, RegionMaximum)
    site.check_flat()
    value = site.inputs[0]
    name = value.name
    for axis, regions in ((2, operation.rows), (3, operation.columns)):
        parts = []
        for first, end in regions:
            inputs = [name, *(graph.constant([number], "int64") for number in (first, end, axis))]
            parts.append(graph.node("ReduceMax", [graph.node("Slice", inputs)], axes=[axis], keepdims=1))
        name = graph.node("Concat", parts, operation.name if axis == 3 else None, axis=axis)
    site.give(name, value.type)
