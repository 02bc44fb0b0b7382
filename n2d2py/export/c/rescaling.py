"""Accumulators to codes in C: multiplier, bias and shift, or a search among thresholds.

    number = clamp((acc * M + B) >> n, 0, R)

A negative acc * M + B gives 0 before anything is shifted: C99 leaves the shift of a negative number to the compiler.
"""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.types import SIZES, array, narrowest
from n2d2py.export.c.writing import Site, at, loops
from n2d2py.integer.operations import Requantization
from n2d2py.registry import register


def rescaled(site: Site, operation: Requantization, sums: str, out: str) -> list[str]:
    """The function ``<c>_rescaled(sum, channel)`` of the type ``out``; its arrays are added to the site."""
    rescaling, lines = operation.rescaling, [f"static {out} {site.c}_rescaled({sums} sum, int channel)", "{"]
    if rescaling.tables:
        lines += _search(site, operation, out)
    if len(rescaling.tables) < rescaling.channels:
        multiplier = _constant(site, "multipliers", rescaling.multipliers)
        bias = _constant(site, "biases", rescaling.biases)
        lines += [
            f"    int64_t value = (int64_t)sum * {multiplier} + {bias};",
            "    if (value < 0) {",
            "        value = 0;",
            "    }",
            f"    value >>= {rescaling.shift};",
            f"    if (value > {rescaling.highest}) {{",
            f"        value = {rescaling.highest};",
            "    }",
            f"    return ({out})({_code(site, operation, 'value')});",
        ]
    constant = not rescaling.tables and len({*rescaling.multipliers.tolist()}) == len({*rescaling.biases.tolist()}) == 1
    if constant:
        lines.insert(2, "    (void)channel;")
    return [*lines, "}", ""]


def _constant(site: Site, name: str, values: np.ndarray) -> str:
    """One value for all channels as it is, else an array."""
    if len({*values.tolist()}) == 1:
        return f"INT64_C({int(values[0])})"
    type_ = narrowest(values)
    site.add(array(f"{site.c}_{name}", type_, values), len(values), SIZES[type_])
    return f"{site.c}_{name}[channel]"


def _search(site: Site, operation: Requantization, out: str) -> list[str]:
    """The number of thresholds that sign * sum reaches, by halving; only in channels with a table."""
    rescaling = operation.rescaling
    tables = sorted(rescaling.tables)
    values = np.concatenate([rescaling.tables[channel].thresholds for channel in tables])
    counts = [len(rescaling.tables[channel].thresholds) for channel in tables]
    starts = np.full(rescaling.channels, -1)
    starts[tables] = np.cumsum([0, *counts[:-1]])
    ends = np.zeros(rescaling.channels, dtype=np.int64)
    ends[tables] = np.cumsum(counts)
    signs = np.ones(rescaling.channels, dtype=np.int64)
    signs[tables] = [rescaling.tables[channel].sign for channel in tables]
    for name, numbers in (("thresholds", values), ("first", starts), ("end", ends), ("signs", signs)):
        type_ = narrowest([*numbers, 0])
        site.add(array(f"{site.c}_{name}", type_, numbers), len(numbers), SIZES[type_])
    body = [
        f"int low = {site.c}_first[channel], high = {site.c}_end[channel];",
        f"const int64_t reached = (int64_t)sum * {site.c}_signs[channel];",
        "while (low < high) {",
        "    const int middle = (low + high) / 2;",
        f"    if ({site.c}_thresholds[middle] <= reached) {{",
        "        low = middle + 1;",
        "    } else {",
        "        high = middle;",
        "    }",
        "}",
        f"const int number = low - {site.c}_first[channel];",
        f"return ({out})({_code(site, operation, 'number')});",
    ]
    if len(tables) == rescaling.channels:
        return ["    " + line for line in body]
    return [f"    if ({site.c}_first[channel] >= 0) {{", *("        " + line for line in body), "    }"]


def _code(site: Site, operation: Requantization, number: str) -> str:
    """The code of the number of a level."""
    if operation.levels:
        type_, name = narrowest(operation.levels), f"{site.c}_levels_out"
        if not any(line.startswith(f"static const {type_} {name}[") for line in site.constants):
            site.add(array(name, type_, operation.levels), len(operation.levels), SIZES[type_])
        return f"{name}[{number}]"
    return f"{operation.low} + {number} * {operation.step}" if operation.renumbers else number


@register("c operation", "Requantization")
def emit(site: Site) -> list[str]:
    """A rescaling of what is stored already."""
    operation = site.operation
    assert isinstance(operation, Requantization)
    dims = site.sources[0].dims
    site.constants += rescaled(site, operation, site.input_type(), site.output_type)
    return loops(dims, [f"y[{at(dims)}] = {site.c}_rescaled(x[{at(dims)}], c);"])
