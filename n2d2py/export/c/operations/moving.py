"""Operations that move codes: concatenation, padding, repetition, transposition."""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.types import SIZES, array, narrowest
from n2d2py.export.c.writing import Site, at, loops
from n2d2py.integer.movement import Nearest, Pad, Transposition
from n2d2py.integer.network import Concatenation
from n2d2py.registry import register


@register("c operation", "Concatenation")
def concatenation(site: Site) -> list[str]:
    """One input after the other; one place stands at every place."""
    operation, made = site.operation, site.made.dims
    assert isinstance(operation, Concatenation)
    lines, start = [], 0
    for index, edge in enumerate(site.sources):
        size, places = edge.dims.size, made.width * made.height
        repeated = not operation.flat and edge.dims.width * edge.dims.height == 1 and places > 1
        count = size * places if repeated else size
        taken = f"k / {places}" if repeated else "k"
        name = "x" if len(site.sources) == 1 else f"x{index}"
        lines += [
            f"for (int k = 0; k < {count}; ++k) {{",
            f"    y[{start} + k] = ({site.output_type}){name}[{taken}];",
            "}",
        ]
        start += count
    return lines


@register("c operation", "Pad")
def pad(site: Site) -> list[str]:
    """Zeros around, or a crop."""
    operation, source, made = site.operation, site.sources[0].dims, site.made.dims
    assert isinstance(operation, Pad)
    site.check_flat()
    inside = f"j >= 0 && j < {source.height} && i >= 0 && i < {source.width}"
    body = [
        f"const int j = v - {operation.top};",
        f"const int i = u - {operation.left};",
        f"y[{at(made)}] = ({site.output_type})({inside} ? x[{at(source, 'c', 'j', 'i')}] : 0);",
    ]
    return loops(made, body)


@register("c operation", "Nearest")
def nearest(site: Site) -> list[str]:
    """The input row and column of each output row and column."""
    operation, source, made = site.operation, site.sources[0].dims, site.made.dims
    assert isinstance(operation, Nearest)
    site.check_flat()
    for name, values in (("rows", operation.rows), ("columns", operation.columns)):
        type_ = narrowest(values)
        site.add(array(f"{site.c}_{name}", type_, values), len(values), SIZES[type_])
    place = at(source, "c", f"{site.c}_rows[v]", f"{site.c}_columns[u]")
    return loops(made, [f"y[{at(made)}] = ({site.output_type})x[{place}];"])


@register("c operation", "Transposition")
def transposition(site: Site) -> list[str]:
    """Axes in another order."""
    operation, source, made = site.operation, site.sources[0].dims, site.made.dims
    assert isinstance(operation, Transposition)
    site.check_flat()
    if operation.axes[0] != 0:
        raise site.no_form("it moves the axis of the batch")
    strides = np.array([source.height * source.width, source.width, 1])[np.array(operation.axes[1:]) - 1]
    place = " + ".join(f"{name} * {stride}" for name, stride in zip(("c", "v", "u"), strides.tolist(), strict=True))
    return loops(made, [f"y[{at(made)}] = ({site.output_type})x[{place}];"])
