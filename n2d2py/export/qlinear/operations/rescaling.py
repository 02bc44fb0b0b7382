"""Wide accumulators to codes: a float32 line where it is equal at every edge, else exact wide arithmetic."""

from __future__ import annotations

import numpy as np

from n2d2py.export.qlinear.fitting import double_lines, float_line, steps_of
from n2d2py.export.qlinear.graph import Value
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.network import Edge, Requantization
from n2d2py.registry import register


def fineness(operation: Requantization) -> int:
    """How much finer than a code the bytes are that a mask rounds down: 256 / (R + 1); 1 where that is no mask."""
    levels = operation.rescaling.highest + 1
    return 256 // levels if levels & (levels - 1) == 0 and levels < 256 and not operation.renumbers else 1


def finish(site: Site, operation: Requantization, fine_bytes: str, fine: int) -> Value:
    """Bytes that are ``fine`` times finer than the codes become codes times ``fine``."""
    graph, highest = site.graph, operation.rescaling.highest
    if fine > 1:
        mask = graph.constant([256 - fine], "uint8")
        return Value(graph.node("BitwiseAnd", [fine_bytes, mask], operation.name), "uint8", fine)
    if highest == 255 and not operation.renumbers:
        return Value(graph.node("Identity", [fine_bytes], operation.name), "uint8")
    clipped = graph.node("Clip", [fine_bytes, "", graph.constant(highest, "uint8")])
    return number_to_code(site, operation, Value(clipped, "uint8"))


def number_to_code(site: Site, operation: Requantization, number: Value) -> Value:
    """The codes of the numbers of levels."""
    graph = site.graph
    if not operation.renumbers:
        return Value(graph.node("Identity", [number.name], operation.name), number.type)
    codes = operation.levels or range(
        operation.low, operation.low + operation.step * (operation.rescaling.highest + 1), operation.step
    )
    type_ = "uint8" if min(codes) >= 0 and max(codes) <= 255 else "int32"
    wide = graph.cast(number, "int32")
    return Value(graph.node("Gather", [graph.constant(codes, type_), wide.name], operation.name), type_)


@register("onnx operation", "Requantization")
def emit(site: Site) -> None:
    """A rescaling of wide accumulators."""
    operation = site.operation
    assert isinstance(operation, Requantization)
    value, edge = site.inputs[0], site.sources[0]
    rescale(site, operation, value, edge)


def rescale(site: Site, operation: Requantization, value: Value, edge: Edge) -> None:
    """Rescale the accumulators in ``value`` whose reachable ranges are those of ``edge``."""
    graph, rescaling, fine = site.graph, operation.rescaling, fineness(operation)
    lines = None
    if rescaling.highest <= 255:
        found = [float_line(steps, value.factor, fine, rescaling.highest) for steps in steps_of(rescaling, edge)]
        lines = [line for line in found if line is not None]
    if lines is not None and len(lines) == rescaling.channels:
        real = graph.cast(value, "float").name
        slopes, offsets = ([line[part] for line in lines] for part in (0, 1))
        scaled = graph.node("Mul", [real, graph.channelled(slopes, "float")])
        moved = graph.node("Add", [scaled, graph.channelled(offsets, "float")])
        one, zero = graph.constant(1.0, "float"), graph.constant(0, "uint8")
        quantized = graph.node("QuantizeLinear", [moved, one, zero])
        site.give(operation.name, finish(site, operation, quantized, fine), "float32 line, equal at all edges")
        return
    doubles = double_lines(rescaling, edge) if rescaling.highest <= 255 else None
    if doubles is not None:
        fine_bytes = _doubled(site, operation, graph.codes(value, "double"), fine, *doubles)
        site.give(operation.name, finish(site, operation, fine_bytes, fine), "float64 line, equal at all edges")
        return
    number = _exact(site, operation, graph.codes(value, "int64"))
    if fine > 1:
        scaled = graph.node("Mul", [number.name, graph.constant(fine, "int64")])
        result = graph.cast(Value(scaled, "int64", fine), "uint8", operation.name)
    else:
        small = graph.cast(number, "uint8" if rescaling.highest <= 255 else "int32")
        result = number_to_code(site, operation, small)
    site.give(operation.name, result, "int64 arithmetic")


def _doubled(
    site: Site, operation: Requantization, sums: Value, fine: int, slopes: np.ndarray, offsets: np.ndarray
) -> str:
    """Bytes ``fine`` times finer than the codes: a cast rounds numbers that are not negative down, as a floor does."""
    graph = site.graph
    scaled = graph.node("Mul", [sums.name, graph.channelled(slopes * fine, "double")])
    moved = graph.node("Add", [scaled, graph.channelled(offsets * fine, "double")])
    top = 255.5 if fine > 1 else operation.rescaling.highest
    clipped = graph.node("Clip", [moved, graph.constant(0, "double"), graph.constant(top, "double")])
    return graph.cast(Value(clipped, "double"), "uint8").name


def _exact(site: Site, operation: Requantization, sums: Value) -> Value:
    """The numbers as int64, channels with thresholds apart."""
    graph, rescaling = site.graph, operation.rescaling
    if not rescaling.tables:
        return _multiplied(site, operation, sums, np.arange(rescaling.channels))
    tables = np.array(sorted(rescaling.tables))
    others = np.setdiff1d(np.arange(rescaling.channels), tables)
    parts = [_counted(site, operation, sums, tables)]
    if len(others):
        taken = graph.node("Gather", [sums.name, graph.constant(others, "int64")], axis=1)
        parts.append(_multiplied(site, operation, Value(taken, "int64"), others))
    joined = parts[0].name if len(parts) == 1 else graph.node("Concat", [part.name for part in parts], axis=1)
    order = np.argsort(np.concatenate([tables, others]))
    return Value(graph.node("Gather", [joined, graph.constant(order, "int64")], axis=1), "int64")


def _multiplied(site: Site, operation: Requantization, sums: Value, channels: np.ndarray) -> Value:
    graph, rescaling = site.graph, operation.rescaling
    product = graph.node("Mul", [sums.name, graph.channelled(rescaling.multipliers[channels], "int64")])
    total = graph.node("Add", [product, graph.channelled(rescaling.biases[channels], "int64")])
    top = ((rescaling.highest + 1) << rescaling.shift) - 1
    clipped = graph.bounded(graph.bounded(total, 0, upper=False), top, upper=True)
    return Value(graph.node("Div", [clipped, graph.constant(1 << rescaling.shift, "int64")]), "int64")


def _counted(site: Site, operation: Requantization, sums: Value, channels: np.ndarray) -> Value:
    graph, tables = site.graph, operation.rescaling.tables
    most = max(len(tables[channel].thresholds) for channel in channels.tolist())
    unreached = np.iinfo(np.int64).max
    rows = np.full((len(channels), most), unreached, dtype=np.int64)
    for row, channel in zip(rows, channels.tolist(), strict=True):
        row[: len(tables[channel].thresholds)] = tables[channel].thresholds
    signs = [tables[channel].sign for channel in channels.tolist()]
    taken = graph.node("Gather", [sums.name, graph.constant(channels, "int64")], axis=1)
    signed = graph.node("Mul", [taken, graph.channelled(signs, "int64")])
    apart = graph.node("Unsqueeze", [signed, graph.constant([2], "int64")])
    limits = graph.constant(rows.reshape(1, len(channels), most, 1, 1), "int64")
    reached = graph.cast(Value(graph.node("GreaterOrEqual", [apart, limits]), "bool"), "int64")
    return Value(graph.node("ReduceSum", [reached.name, graph.constant([2], "int64")], keepdims=0), "int64")
