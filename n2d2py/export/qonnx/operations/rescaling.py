"""Accumulators to codes: MultiThreshold."""

from __future__ import annotations

import numpy as np

from n2d2py.export.qlinear.fitting import steps_of
from n2d2py.export.qlinear.graph import EXACT
from n2d2py.export.qonnx.writing import DOMAIN, Site, quant
from n2d2py.integer.operations import Requantization
from n2d2py.registry import register


@register("qonnx operation", "Requantization")
def requantization(site: Site) -> None:
    """MultiThreshold: the number of thresholds that sign * accumulator reaches; a Quant node says the bits.

    Accumulators are float32 where it holds them and every threshold, else float64.
    """
    operation, graph, edge = site.operation, site.graph, site.sources[0]
    assert isinstance(operation, Requantization)
    type_ = site.type_for(edge.magnitude + 1)
    highest = operation.rescaling.highest
    steps = steps_of(operation.rescaling, edge)
    never, always = float(EXACT[type_]), -float(EXACT[type_])
    rows = np.full((len(steps), highest), never)
    for row, one in zip(rows, steps, strict=True):
        row[: one.least] = always
        row[one.numbers - 1] = one.first
    signed = graph.cast(site.inputs[0], type_).name
    if any(one.sign < 0 for one in steps):
        signed = graph.node("Mul", [signed, site.channelled([one.sign for one in steps], type_)])
    bits = max(1, highest.bit_length())
    counted = graph.node(
        "MultiThreshold", [signed, graph.constant(rows, type_)], domain=DOMAIN, out_dtype=f"UINT{bits}"
    )
    if type_ != "float":
        counted = graph.node("Cast", [counted], to=1)
    name = operation.name
    number = quant(graph, counted, 1.0, 0.0, bits, False, f"{name}/number" if operation.renumbers else name)
    if operation.levels:
        place = graph.node("Cast", [number], to=7)
        number = graph.node("Gather", [graph.constant(operation.levels, "float"), place], name, axis=0)
    elif operation.renumbers:
        steps_up = graph.node("Mul", [number, graph.constant(float(operation.step), "float")])
        number = graph.node("Add", [steps_up, graph.constant(float(operation.low), "float")], name)
    site.give(number, "float")
