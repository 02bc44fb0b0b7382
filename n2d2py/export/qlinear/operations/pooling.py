"""Maxima of windows on codes as they are stored; sums of windows in float32, where they are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qlinear.operations.product import windows
from n2d2py.export.qlinear.operations.wide import on_digits
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.operations import MaxPool, SumPool
from n2d2py.registry import register


@register("onnx operation", "MaxPool")
def max_pool(site: Site) -> None:
    """Windows, then the largest of the channels of each map."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, MaxPool)
    site.check_flat()
    stored, bound = value, site.sources[0].magnitude + value.zero
    if bound >= EXACT["double"]:
        raise site.no_form("its codes need more than 53 bits")
    # ONNX Runtime has a fast kernel for float32, and a slow one for bytes in this layout.
    value = graph.cast(replace(value, zero=0), "float" if bound < EXACT["float"] else "double")
    mapping = operation.mapping
    name = graph.node("MaxPool", [value.name], **windows(operation))
    if mapping is not None:
        columns = []
        for column in mapping.T:
            if not column.any():
                one = graph.node("Gather", [name, graph.constant([0], "int64")], axis=1)
                columns.append(graph.node("Sub", [one, one]))
                continue
            taken = graph.node("Gather", [name, graph.constant(np.flatnonzero(column), "int64")], axis=1)
            columns.append(graph.node("ReduceMax", [taken, graph.constant([1], "int64")], keepdims=1))
        name = graph.node("Concat", columns, axis=1)
    largest = graph.cast(replace(value, name=name), stored.type, operation.name)
    site.give(operation.name, replace(largest, zero=stored.zero), "float32 maxima")


@register("onnx operation", "SumPool")
def sum_pool(site: Site) -> None:
    """A convolution with ones: depthwise, or over the channels of each map."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, SumPool)
    site.check_flat()
    channels, attributes = site.sources[0].dims.channels, windows(operation)
    window, source = tuple(attributes["kernel_shape"]), site.sources[0].dims
    whole = operation.mapping is None and window == (source.height, source.width) and not any(operation.padding)
    ones, groups = np.ones((channels, 1, *window)), channels
    if operation.mapping is not None:
        ones = np.broadcast_to(operation.mapping.T[:, :, None, None], (*operation.mapping.T.shape, *window))
        groups = 1

    def summed(name: str) -> str:
        if whole:
            return graph.node("ReduceSum", [name, graph.constant([2, 3], "int64")], keepdims=1)
        return graph.node("Conv", [name, graph.constant(ones, "float")], group=groups, **attributes)

    if site.sources[0].magnitude * operation.area >= EXACT["float"]:
        wide = graph.cast(value, "int64")
        total = Value(summed(wide.name), "int64") if whole else on_digits(site, wide, operation.area, summed)
        if total is None:
            raise site.no_form("its window has 2^22 places or more")
        type_ = "int32" if site.made.magnitude < EXACT["int32"] else "int64"
        site.give(operation.name, graph.cast(total, type_, operation.name), "integer sums")
        return
    real = graph.cast(value, "float")
    result = Value(summed(real.name), "float")
    site.give(operation.name, graph.cast(result, "int32", operation.name), "float32 sums")
