"""Operations that hand codes on: the stored tensors are moved as they are."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.export.qlinear.graph import Graph, Value
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.movement import Nearest, Pad, Transposition
from n2d2py.integer.operations import Concatenation
from n2d2py.registry import register

_HANDED = "stored codes"


def common(graph: Graph, values: list[Value]) -> list[Value]:
    """Tensors that store codes in one way: as they are, or in int64."""
    if len({(value.type, value.zero) for value in values}) == 1:
        return values
    return [graph.cast(value, "int64") for value in values]


@register("onnx operation", "Identity")
def identity(site: Site) -> None:
    """The codes as they are."""
    value, name = site.inputs[0], site.operation.name
    site.give(name, replace(value, name=site.graph.node("Identity", [value.name], name)), _HANDED)


@register("onnx operation", "Reshaping")
def reshaping(site: Site) -> None:
    """The same order in other dimensions."""
    value, name = site.inputs[0], site.operation.name
    shape = site.graph.constant([-1, *site.made.dims.shape], "int64")
    site.give(name, replace(value, name=site.graph.node("Reshape", [value.name, shape], name)), _HANDED)


@register("onnx operation", "Concatenation")
def concatenation(site: Site) -> None:
    """Along the channels; an input of one place stands at every place."""
    operation, graph, made = site.operation, site.graph, site.made.dims
    assert isinstance(operation, Concatenation)
    values = common(graph, site.inputs)
    names = []
    for value, edge in zip(values, site.sources, strict=True):
        name = value.name
        if operation.flat:
            name = graph.node("Reshape", [name, graph.constant([0, -1, 1, 1], "int64")])
        elif (edge.dims.width, edge.dims.height) != (made.width, made.height):
            shape = graph.constant([1, 1, made.height, made.width], "int64")
            name = graph.node("Expand", [name, shape])
        names.append(name)
    site.give(operation.name, replace(values[0], name=graph.node("Concat", names, operation.name, axis=1)), _HANDED)


@register("onnx operation", "Pad")
def pad(site: Site) -> None:
    """Zeros around; a negative side crops."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, Pad)
    site.check_flat()
    sides = [0, 0, operation.top, operation.left, 0, 0, operation.bottom, operation.right]
    inputs = [value.name, graph.constant(sides, "int64"), graph.constant(value.zero, value.type)]
    site.give(operation.name, replace(value, name=graph.node("Pad", inputs, operation.name)), _HANDED)


@register("onnx operation", "Nearest")
def nearest(site: Site) -> None:
    """Rows and columns by their numbers."""
    operation, value, graph = site.operation, site.inputs[0], site.graph
    assert isinstance(operation, Nearest)
    site.check_flat()
    rows = graph.node("Gather", [value.name, graph.constant(operation.rows, "int64")], axis=2)
    name = graph.node("Gather", [rows, graph.constant(operation.columns, "int64")], operation.name, axis=3)
    site.give(operation.name, replace(value, name=name), _HANDED)


@register("onnx operation", "Transposition")
def transposition(site: Site) -> None:
    """Axes in another order."""
    operation, value = site.operation, site.inputs[0]
    assert isinstance(operation, Transposition)
    name = site.graph.node("Transpose", [value.name], operation.name, perm=list(operation.axes))
    site.give(operation.name, replace(value, name=name), _HANDED)
