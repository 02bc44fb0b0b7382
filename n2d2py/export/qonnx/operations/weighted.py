"""Conv, Deconv and Fc on codes: float32 where it holds every sum, else digits of the codes one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from n2d2py.export.qlinear.graph import Value
from n2d2py.export.qonnx.digits import by_digits
from n2d2py.export.qonnx.writing import Site, weights
from n2d2py.integer.operations import Convolution, Deconvolution, FullyConnected, Weighted
from n2d2py.registry import register


def _weights(site: Site, operation: Weighted, codes: np.ndarray) -> str:
    grid = operation.weights_grid
    return weights(
        site.graph, operation.cell, codes, grid.low, grid.high, grid.step, bool(grid.uneven) or operation.zero_is_extra
    )


def _largest(operation: Weighted) -> int:
    """The largest sum of |weight| of one output."""
    return int(np.abs(operation.weights.reshape(len(operation.weights), -1)).sum(axis=1).max(initial=0))


def _give(site: Site, operation: Weighted, sums: Value) -> None:
    """``(sum << F) + bias``."""
    graph = site.graph
    if operation.bias is None:
        site.give(graph.node("Identity", [sums.name], operation.name), sums.type)
        return
    type_ = site.type_for(2 * site.made.magnitude + 1)
    wide = graph.cast(sums, "double" if "double" in (type_, sums.type) else "float")
    shifted = graph.node("Mul", [wide.name, graph.constant(float(1 << operation.bias_shift), wide.type)])
    site.give(graph.node("Add", [shifted, site.channelled(operation.bias, wide.type)], operation.name), wide.type)


@register("qonnx operation", "FullyConnected")
def fully_connected(site: Site) -> None:
    """MatMul on codes, in float64 where float32 is too narrow."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, FullyConnected)
    type_ = site.type_for(_largest(operation) * max(site.sources[0].magnitude, 1))
    flat = graph.node("Flatten", [graph.cast(site.inputs[0], type_).name], axis=1)
    codes = graph.cast(Value(_weights(site, operation, operation.weights.T), "float"), type_).name
    product = graph.node("MatMul", [flat, codes])
    shape = graph.constant([0, *site.made.dims.shape], "int64")
    _give(site, operation, Value(graph.node("Reshape", [product, shape]), type_))


def _cropped(site: Site, sides: list[int]) -> Value:
    """The input without the places that a negative padding takes away; ``sides`` go with its last axes."""
    value, graph = site.inputs[0], site.graph
    pads = [*[0] * (len(site.sources[0].dims.shape) + 1 - len(sides)), *sides]
    inputs = [value.name, graph.constant(pads * 2, "int64"), graph.constant(0, value.type)]
    return replace(value, name=graph.node("Pad", inputs))


@register("qonnx operation", "Convolution")
def convolution(site: Site) -> None:
    """Conv on codes; a negative padding crops before."""
    operation = site.operation
    assert isinstance(operation, Convolution)
    codes = _weights(site, operation, operation.weights)
    padding = operation.padding[::-1]
    outside = [max(0, amount) for amount in padding]
    steps = zip(operation.stride[::-1], operation.sub_sample[::-1], strict=True)
    window: dict[str, Any] = {
        "kernel_shape": list(operation.weights.shape[2:]),
        "strides": [stride * sample for stride, sample in steps],
        "pads": outside * 2,
        "dilations": list(operation.dilation[::-1]),
        "group": operation.groups,
    }

    def products(x: str) -> str:
        return site.graph.node("Conv", [x, codes], **window)

    inside = site.inputs[0]
    if min(padding) < 0:
        inside = _cropped(site, [min(0, amount) for amount in padding])
    _give(site, operation, by_digits(site, inside, _largest(operation), len(padding), products))


@register("qonnx operation", "Deconvolution")
def deconvolution(site: Site) -> None:
    """ConvTranspose on codes, whose kernels stand by input channel; the padding is cut off."""
    operation = site.operation
    assert isinstance(operation, Deconvolution)
    outputs, channels = operation.weights.shape[:2]
    by_group = operation.weights.reshape(operation.groups, outputs // operation.groups, *operation.weights.shape[1:])
    turned = by_group.swapaxes(1, 2).reshape(operation.groups * channels, -1, *operation.weights.shape[2:])
    codes = _weights(site, operation, turned)
    if min(operation.padding) < 0:
        raise site.no_form("its padding is negative")
    window: dict[str, Any] = {
        "kernel_shape": list(turned.shape[2:]),
        "strides": list(operation.stride[::-1]),
        "pads": list(operation.padding[::-1]) * 2,
        "dilations": list(operation.dilation[::-1]),
        "group": operation.groups,
    }

    def products(x: str) -> str:
        return site.graph.node("ConvTranspose", [x, codes], **window)

    sums = by_digits(site, site.inputs[0], _largest(operation), len(operation.padding), products)
    _give(site, operation, sums)
