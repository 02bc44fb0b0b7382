"""Operations place by place, in types that hold every intermediate number exactly."""

from __future__ import annotations

from functools import reduce

import numpy as np

from n2d2py.export.qlinear.graph import EXACT, Value, wide_type
from n2d2py.export.qlinear.operations.joined import add_accumulators
from n2d2py.export.qlinear.operations.pairs import add_pair
from n2d2py.export.qlinear.writing import IN_RESCALING, Site
from n2d2py.integer.arithmetic import Alignment, Comparison, Pieces
from n2d2py.registry import register

_WIDE = "int64"


def _give(site: Site, name: str) -> None:
    site.give(site.operation.name, Value(name, _WIDE), "int64 arithmetic")


def _one(site: Site) -> str:
    return site.graph.cast(site.inputs[0], _WIDE).name


@register("onnx operation", "Rectification")
def rectification(site: Site) -> None:
    """Negative codes become 0."""
    _give(site, site.graph.node("Identity", [site.graph.bounded(_one(site), 0, upper=False)], site.operation.name))


@register("onnx operation", "Absolute")
def absolute(site: Site) -> None:
    """Codes without their sign."""
    _give(site, site.graph.node("Abs", [_one(site)], site.operation.name))


@register("onnx operation", "Maximum")
def maximum(site: Site) -> None:
    """The largest input."""
    values = [site.graph.cast(value, _WIDE).name for value in site.inputs]
    _give(site, site.graph.node("Identity", [reduce(site.graph.larger, values)], site.operation.name))


@register("onnx operation", "Product")
def product(site: Site) -> None:
    """The product of the inputs."""
    values = [site.graph.cast(value, _WIDE).name for value in site.inputs]
    result = reduce(lambda left, right: site.graph.node("Mul", [left, right]), values)
    _give(site, site.graph.node("Identity", [result], site.operation.name))


@register("onnx operation", "Pieces")
def pieces(site: Site) -> None:
    """A slope below 0 and bounds."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Pieces)
    value, zero = _one(site), graph.constant(0, _WIDE)
    above = graph.node("Mul", [graph.larger(value, zero), graph.constant(1 << operation.shift, _WIDE)])
    below = graph.node("Mul", [graph.smaller(value, zero), graph.constant(operation.slope, _WIDE)])
    result = graph.node("Add", [above, below])
    for bound, upper in ((operation.low, False), (operation.high, True)):
        if bound is not None:
            result = graph.bounded(result, bound, upper)
    _give(site, graph.node("Identity", [result], operation.name))


@register("onnx operation", "Comparison")
def comparison(site: Site) -> None:
    """A threshold."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Comparison)
    value, zero = _one(site), graph.constant(0, _WIDE)
    above = graph.node("GreaterOrEqual", [value, graph.constant(operation.first, _WIDE)])
    kept = graph.constant(operation.code, _WIDE) if operation.operation.startswith("Binary") else value
    sides = [zero, kept] if operation.operation.endswith("Inverted") else [kept, zero]
    result = graph.node("Where", [above, *sides])
    shape = graph.constant([-1, *site.made.dims.shape], _WIDE)
    spread = graph.node("Add", [result, graph.node("Mul", [value, zero])])
    _give(site, graph.node("Reshape", [spread, shape], operation.name))


@register("onnx operation", "Alignment")
def alignment(site: Site) -> None:
    """A linear function of the inputs, in float64 where its integers stay below 2^53."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Alignment)
    taker = site.rescaling
    if taker is not None and (sums := add_pair(site, operation, taker)) is not None:
        site.give(operation.name, sums, IN_RESCALING)
        site.give(taker.name, sums, "sum of bytes, right for all pairs")
        return
    if taker is not None and add_accumulators(site, operation, taker):
        return
    type_ = wide_type(_bound(site, operation))
    # Powers of two change no float64: with them in the numbers, what is left of the shift is a floor.
    unit = 2.0**-operation.shift if type_ == "double" else 1
    total = graph.constant(_four(operation.biases * unit), type_)
    for index, value in enumerate(site.inputs):
        term = graph.cast(value, type_)
        pre = operation.pre_shifts[index]
        if pre:
            half = graph.constant(1 << pre >> 1, type_)
            term = graph.floor_shift(Value(graph.node("Add", [term.name, half]), type_), pre)
        factors = operation.multipliers[index]
        scaled = graph.node("Mul", [term.name, graph.constant(_four(factors * unit), type_)])
        total = graph.node("Add", [total, scaled])
    if type_ == "double":
        result = Value(graph.node("Floor", [total], operation.name), type_)
    else:
        result = graph.floor_shift(Value(total, type_), operation.shift, operation.name)
    site.give(operation.name, result, f"{type_} arithmetic")


def _four(values: np.ndarray) -> np.ndarray:
    """Numbers that broadcast with (channels, height, width), with an axis for the batch."""
    return values.reshape((1,) * (4 - values.ndim) + values.shape)


def _bound(site: Site, operation: Alignment) -> int:
    """The largest number on the way, in Python integers."""
    total = max((abs(int(value)) for value in operation.biases.ravel().tolist()), default=0)
    largest = 0
    for edge, factors in zip(site.sources, operation.multipliers, strict=True):
        largest = max(largest, 2 * edge.magnitude)
        total += (edge.magnitude + 1) * max((abs(int(value)) for value in factors.ravel().tolist()), default=0)
    if total >= EXACT["int64"]:
        raise site.no_form("its sums leave 64 bits")
    return max(total, largest)
