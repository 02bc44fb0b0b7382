"""Operations place by place: float32 where it holds every number on the way, else float64, else int64."""

from __future__ import annotations

from functools import reduce

import numpy as np

from n2d2py.export.qlinear.graph import Value, wide_type
from n2d2py.export.qonnx.writing import Site
from n2d2py.integer.arithmetic import Alignment, Comparison, Pieces
from n2d2py.integer.operations import Operation
from n2d2py.registry import register


@register("qonnx operation", "Identity")
def identity(site: Site) -> None:
    """The codes as they are."""
    value = site.inputs[0]
    site.give(site.graph.node("Identity", [value.name], site.operation.name), value.type)


@register("qonnx operation", "Rectification")
def rectification(site: Site) -> None:
    """Negative codes become 0."""
    value = site.inputs[0]
    zero = site.graph.constant(0.0, value.type)
    site.give(site.graph.node("Max", [value.name, zero], site.operation.name), value.type)


@register("qonnx operation", "Absolute")
def absolute(site: Site) -> None:
    """Codes without their sign."""
    value = site.inputs[0]
    site.give(site.graph.node("Abs", [value.name], site.operation.name), value.type)


@register("qonnx operation", "Maximum")
def maximum(site: Site) -> None:
    """The largest input."""
    names, type_ = site.common()
    site.give(site.graph.node("Max", names, site.operation.name), type_)


@register("qonnx operation", "Product")
def product(site: Site) -> None:
    """The product of the inputs."""
    bound = 1
    for edge in site.sources:
        bound *= max(edge.magnitude, 1)
    type_ = site.type_for(bound)
    names = [site.cast(index, type_) for index in range(len(site.inputs))]
    result = reduce(lambda left, right: site.graph.node("Mul", [left, right]), names)
    site.give(site.graph.node("Identity", [result], site.operation.name), type_)


@register("qonnx operation", "Pieces")
def pieces(site: Site) -> None:
    """A slope below 0 and bounds."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Pieces)
    type_ = site.type_for(site.sources[0].magnitude * max(1 << operation.shift, abs(operation.slope)))
    value, zero = graph.cast(site.inputs[0], type_).name, graph.constant(0.0, type_)
    above = graph.node("Mul", [graph.node("Max", [value, zero]), graph.constant(float(1 << operation.shift), type_)])
    below = graph.node("Mul", [graph.node("Min", [value, zero]), graph.constant(float(operation.slope), type_)])
    result = graph.node("Add", [above, below])
    for bound, kind in ((operation.low, "Max"), (operation.high, "Min")):
        if bound is not None:
            site.type_for(abs(bound))
            result = graph.node(kind, [result, graph.constant(float(bound), type_)])
    site.give(graph.node("Identity", [result], operation.name), type_)


@register("qonnx operation", "Comparison")
def comparison(site: Site) -> None:
    """A threshold."""
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Comparison)
    type_ = site.type_for(max(site.sources[0].magnitude, abs(operation.first), abs(operation.code)))
    value, zero = graph.cast(site.inputs[0], type_).name, graph.constant(0.0, type_)
    above = graph.node("GreaterOrEqual", [value, graph.constant(float(operation.first), type_)])
    kept = value
    if operation.operation.startswith("Binary"):
        same = graph.constant(np.full((1, *site.made.dims.shape), operation.code), type_)
        kept = same
    sides = [zero, kept] if operation.operation.endswith("Inverted") else [kept, zero]
    site.give(graph.node("Where", [above, *sides], operation.name), type_)


@register("qonnx operation", "Alignment")
def alignment(site: Site) -> None:
    """A linear function of the inputs and one shift, rounding down: float64 where its numbers stay below 2^53.

    Else int64, back in float64 at the end.
    """
    operation, graph = site.operation, site.graph
    assert isinstance(operation, Alignment)
    type_ = wide_type(_bound(site, operation))
    total = graph.constant(site.spread(operation.biases), type_)
    for index, (pre, factors) in enumerate(zip(operation.pre_shifts, operation.multipliers, strict=True)):
        term = Value(site.cast(index, type_), type_)
        if pre:
            half = graph.constant(1 << pre >> 1, type_)
            term = graph.floor_shift(Value(graph.node("Add", [term.name, half]), type_), pre)
        scaled = graph.node("Mul", [term.name, graph.constant(site.spread(factors), type_)])
        total = graph.node("Add", [total, scaled])
    made = site.type_for(site.made.magnitude + 1)
    result = graph.floor_shift(Value(total, type_), operation.shift)
    site.give(graph.cast(result, made, operation.name).name, made)


def _bound(site: Site, operation: Operation) -> int:
    """The largest number on the way, in Python integers."""
    assert isinstance(operation, Alignment)
    total = max((abs(value) for value in operation.biases.ravel().tolist()), default=0)
    for edge, factors in zip(site.sources, operation.multipliers, strict=True):
        total += (2 * edge.magnitude + 1) * max((abs(value) for value in factors.ravel().tolist()), default=0)
    if total >= 1 << 63:
        raise site.no_form("its sums leave 64 bits")
    return total
