"""Wide accumulators to codes: a float32 line where it is equal at every edge, else exact wide arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.export.qlinear.fitting import double_lines, float_line, steps_of
from n2d2py.export.qlinear.graph import Value
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.operations import Edge, Requantization
from n2d2py.integer.requantization import Rescaling
from n2d2py.registry import register


def finish(site: Site, operation: Requantization, numbers: str, name: str | None = None) -> Value:
    """Bytes, of which those above the highest code are too large, become the codes of ``operation``."""
    highest = operation.rescaling.highest
    if highest < 255:
        named = name or operation.name if _zero(operation) is not None else None
        numbers = site.graph.node("Clip", [numbers, "", site.graph.constant(highest, "uint8")], named)
        if named is not None:
            return Value(numbers, "uint8", _zero(operation) or 0)
    return number_to_code(site, operation, Value(numbers, "uint8"), name)


def _zero(operation: Requantization) -> int | None:
    """The number of code 0 where codes are their numbers but for an offset: then bytes hold the numbers."""
    if operation.levels or operation.step != 1 or not 0 <= -operation.low <= 255:
        return None
    return -operation.low


def number_to_code(site: Site, operation: Requantization, number: Value, name: str | None = None) -> Value:
    """The codes of the numbers of levels; ``name`` is that of the tensor, if it is not the operation's."""
    graph, name = site.graph, name or operation.name
    zero = _zero(operation) if number.type == "uint8" or not operation.renumbers else None
    if zero is not None:
        return Value(graph.node("Identity", [number.name], name), number.type, zero)
    codes = operation.levels or range(
        operation.low, operation.low + operation.step * (operation.rescaling.highest + 1), operation.step
    )
    type_ = "uint8" if min(codes) >= 0 and max(codes) <= 255 else "int32"
    wide = graph.cast(number, "int32")
    return Value(graph.node("Gather", [graph.constant(codes, type_), wide.name], name), type_)


@register("onnx operation", "Requantization")
def emit(site: Site) -> None:
    """A rescaling of wide accumulators."""
    operation = site.operation
    assert isinstance(operation, Requantization)
    rescale(site, operation, site.inputs[0], site.sources[0])


@dataclass(frozen=True, eq=False)
class Lines:
    """A line for each channel, right at every edge: rint(acc * slope + offset) in float32, or its floor in float64."""

    type: str
    slopes: np.ndarray
    offsets: np.ndarray

    @property
    def path(self) -> str:
        """What it is, for the report."""
        return f"{'float32' if self.type == 'float' else 'float64'} line, equal at all edges"

    def rising(self) -> tuple[Lines, np.ndarray]:
        """The lines of sign * accumulator with which none falls, and the signs (int64, channels)."""
        signs = np.where(self.slopes < 0, -1, 1)
        return Lines(self.type, self.slopes * signs.astype(self.slopes.dtype), self.offsets), signs


def lines_of(rescaling: Rescaling, edge: Edge) -> Lines | None:
    """The cheapest lines that are right on the reachable accumulators of all channels, if there are any."""
    if rescaling.highest > 255:
        return None
    found = []
    for steps in steps_of(rescaling, edge):
        line = float_line(steps, rescaling.highest)
        if line is None:
            break
        found.append(line)
    if len(found) == rescaling.channels:
        slopes, offsets = (np.array([line[part] for line in found], dtype=np.float32) for part in (0, 1))
        return Lines("float", slopes, offsets)
    doubles = double_lines(rescaling, edge)
    return None if doubles is None else Lines("double", *doubles)


def rescale(site: Site, operation: Requantization, value: Value, edge: Edge) -> None:
    """Rescale the accumulators in ``value`` whose reachable ranges are those of ``edge``."""
    graph, rescaling = site.graph, operation.rescaling
    lines = lines_of(rescaling, edge)
    if lines is not None:
        site.give(operation.name, finish(site, operation, on_lines(site, value, lines, rescaling.highest)), lines.path)
        return
    number = _exact(site, operation, graph.cast(value, "int64"))
    small = graph.cast(number, "uint8" if rescaling.highest <= 255 else "int32")
    site.give(operation.name, number_to_code(site, operation, small), "int64 arithmetic")


def on_lines(site: Site, value: Value, lines: Lines, highest: int) -> str:
    """Bytes: those of a float32 line may be above the highest code, up to 255."""
    graph, type_ = site.graph, lines.type
    scaled = graph.node("Mul", [graph.cast(value, type_).name, graph.channelled(lines.slopes, type_)])
    moved = graph.node("Add", [scaled, graph.channelled(lines.offsets, type_)])
    if type_ == "float":
        return graph.node("QuantizeLinear", [moved, graph.constant(1.0, "float"), graph.constant(0, "uint8")])
    # A cast rounds numbers that are not negative down, as a floor does.
    clipped = graph.node("Clip", [moved, graph.constant(0, type_), graph.constant(highest, type_)])
    return graph.cast(Value(clipped, type_), "uint8").name


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
