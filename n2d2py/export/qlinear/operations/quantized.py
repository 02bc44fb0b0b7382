"""Sums that ONNX Runtime rescales to bytes on the way: QLinearConv, where a line is equal at all edges."""

from __future__ import annotations

from itertools import product as choices

import numpy as np

from n2d2py.export.qlinear.fitting import Line, Steps, integer_line, line_by_definition, steps_of
from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qlinear.operations.product import PAIR, Product
from n2d2py.export.qlinear.operations.rescaling import finish
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.operations import Requantization, Weighted
from n2d2py.integer.requantize import SHIFT_MODES


def quantized_sums(site: Site, operation: Weighted, taker: Requantization, product: Product) -> Value | None:
    """QLinearConv, or None if no line is equal at all edges.

    Where it is the real bias that no line is equal to, ``site.unequal`` gets the cell.
    """
    if taker.rescaling.highest > 255:
        return None
    rows = product.weights.reshape(len(product.weights), -1)
    largest = np.abs(rows).max(axis=1, initial=0)
    most = max(int(site.sources[0].high.max()) + product.value.zero, 1)
    steps = steps_of(taker.rescaling, site.made)
    unequal = False
    for kind, unit in choices(("int8", "uint8"), sorted({1, max(255 // most, 1)})):
        limit = min(127, PAIR // (2 * most * unit)) if kind == "int8" else 127
        if limit < int(largest.max(initial=0)):
            continue
        lines = _by_definition(taker, steps) if unit == 1 else None
        if lines is not None:
            return _written(site, operation, taker, product, lines, kind, unit, -taker.low)
        lines = []
        for channel, one in enumerate(steps):
            room = limit // max(int(largest[channel]), 1)
            sums = int(np.abs(rows[channel]).sum()) * most * unit
            factors = [factor for factor in _factors(room) if sums * factor < EXACT["int32"] // 2]
            line = integer_line(one, factors, unit, taker.rescaling.highest)
            if line is None:
                unequal = True
                break
            lines.append(line)
        else:
            return _written(site, operation, taker, product, lines, kind, unit)
    if unequal and taker.straight and taker.line is None and not taker.levels and taker.mode not in SHIFT_MODES:
        site.unequal.append(taker.cell)
    return None


def _by_definition(taker: Requantization, steps: list[Steps]) -> list[Line] | None:
    """The lines of a step function with integer biases, if all are right as bytes with the output's zero point."""
    if taker.line is None or taker.levels or taker.step != 1 or not 0 <= -taker.low <= 255:
        return None
    highest = taker.rescaling.highest
    found: list[Line] = []
    for one, bias, slope in zip(steps, taker.line.biases.tolist(), taker.line.slopes.tolist(), strict=True):
        line = line_by_definition(one, bias, slope, -taker.low, highest)
        if line is None:
            return None
        found.append(line)
    return found


def _factors(room: int) -> list[int]:
    """Factors up to ``room`` that are worth a trial, the finest first."""
    return sorted({room, *(max(1, room * k // 8) for k in range(1, 8))}, reverse=True) if room else []


def _written(
    site: Site,
    operation: Weighted,
    taker: Requantization,
    product: Product,
    lines: list[Line],
    kind: str,
    unit: int,
    level: int = 0,
) -> Value:
    """``level``: the output's zero point, which is added to what the lines give."""
    graph, name = site.graph, operation.cell
    factors = np.array([line.factor * line.sign for line in lines]).reshape(-1, 1, 1, 1)
    zero = 0 if kind == "int8" else 128
    one, none = graph.constant(1.0, "float"), graph.constant(level, "uint8")
    origin = graph.constant(product.value.zero * unit, "uint8")
    value = product.value.name if unit == 1 else _magnified(site, product.value, unit)
    weights = graph.weights(product.weights * factors + zero, kind, f"{name}_w")
    scales = graph.constant([line.scale for line in lines], "float", f"{name}_scale")
    biases = graph.constant([line.bias for line in lines], "int32", f"{name}_b")
    if graph.form.qdq:
        # ONNX Runtime makes QLinearConv of these five; as they stand they are right but for float32's rounding.
        origins = graph.constant(np.full(len(lines), zero), kind)
        reals = [
            graph.node("DequantizeLinear", [value, one, origin]),
            graph.node("DequantizeLinear", [weights, scales, origins], axis=0),
            graph.node("DequantizeLinear", [biases, scales], axis=0),
        ]
        sums = graph.node("Conv", reals, **product.attributes)
        return finish(site, taker, graph.node("QuantizeLinear", [sums, one, none]))
    inputs = [value, one, origin, weights, scales, graph.constant(zero, kind), one, none, biases]
    return finish(site, taker, graph.node("QLinearConv", inputs, **product.attributes))


def _magnified(site: Site, value: Value, unit: int) -> str:
    """Bytes times ``unit``, in one pass of ONNX Runtime; all that is computed on the way are small integers."""
    graph = site.graph
    whole, one, none = graph.constant(float(unit), "float"), graph.constant(1.0, "float"), graph.constant(0, "uint8")
    factor = graph.node("DequantizeLinear", [graph.constant(1, "uint8"), one, none])
    product = graph.node("Mul", [graph.node("DequantizeLinear", [value.name, whole, none]), factor])
    return graph.node("QuantizeLinear", [product, one, none])
