"""Operations that move codes: concatenation, padding, repetition, interpolation, axes, places of maxima."""

from __future__ import annotations

import math

from n2d2py.export.c.types import SIZES, array, narrowest
from n2d2py.export.c.writing import Site, at, block, counted, loops, places
from n2d2py.integer.movement import Interpolation, Nearest, Pad, Transposition, Unpooling
from n2d2py.integer.operations import Concatenation
from n2d2py.registry import register


@register("c operation", "Concatenation")
def concatenation(site: Site) -> list[str]:
    """One input after the other; one place stands at every place."""
    operation, made = site.operation, site.made.dims
    assert isinstance(operation, Concatenation)
    lines, start = [], 0
    for index, edge in enumerate(site.sources):
        size, copies = edge.dims.size, made.size // made.channels
        repeated = not operation.flat and size == edge.dims.channels and copies > 1
        count = size * copies if repeated else size
        taken = f"k / {copies}" if repeated else "k"
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
    inside = f"j >= 0 && j < {source.height} && i >= 0 && i < {source.width}"
    body = [
        f"const int j = v - {operation.top};",
        f"const int i = u - {operation.left};",
        f"y[{at(made)}] = ({site.output_type})({inside} ? x[{at(source, *places(made)[:-2], 'j', 'i')}] : 0);",
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
    """Axes in another order; of a depth that comes or goes only the order counts."""
    operation, source = site.operation, site.sources[0].dims
    assert isinstance(operation, Transposition)
    if operation.axes[0] != 0:
        raise site.no_form("it moves the axis of the batch")
    names = ("c", "w", "v", "u")[: len(source.shape)]
    strides = [math.prod(source.shape[axis:]) for axis in operation.axes[1:]]
    sizes = [source.shape[axis - 1] for axis in operation.axes[1:]]
    place = " + ".join(f"{name} * {stride}" for name, stride in zip(names, strides, strict=True))
    body = [f"y[k++] = ({site.output_type})x[{place}];"]
    for name, size in reversed(list(zip(names, sizes, strict=True))):
        body = counted(name, size, body)
    return ["int k = 0;", *body]


@register("c operation", "Interpolation")
def interpolation(site: Site) -> list[str]:
    """Two neighbours with integer shares, along the columns, then along the rows."""
    operation, source, made = site.operation, site.sources[0].dims, site.made.dims
    assert isinstance(operation, Interpolation)
    site.check_flat()
    for name, along in (("rows", operation.rows), ("columns", operation.columns)):
        for part, values in (("low", along.low), ("high", along.high), ("share", along.share)):
            type_ = narrowest(values)
            site.add(array(f"{site.c}_{name}_{part}", type_, values), len(values), SIZES[type_])
    whole = [f"(INT64_C(1) << {along.bits})" for along in (operation.rows, operation.columns)]
    rest = [f"{site.c}_{name}_share[{index}]" for name, index in (("rows", "v"), ("columns", "u"))]

    def between(row: str) -> str:
        near, far = (f"x[{at(source, 'c', row, f'{site.c}_columns_{part}[u]')}]" for part in ("low", "high"))
        return f"{near} * ({whole[1]} - {rest[1]}) + {far} * (int64_t){rest[1]}"

    body = [
        f"const int64_t near = {between(f'{site.c}_rows_low[v]')};",
        f"const int64_t far = {between(f'{site.c}_rows_high[v]')};",
        site.store(at(made), f"near * ({whole[0]} - {rest[0]}) + far * (int64_t){rest[0]}", "c"),
    ]
    return loops(made, body)


@register("c operation", "Unpooling")
def unpooling(site: Site) -> list[str]:
    """Codes at the places of the first maxima of their windows; of several for one place the last counts."""
    operation, made = site.operation, site.made.dims
    assert isinstance(operation, Unpooling)
    site.check_flat()
    values, source = (edge.dims for edge in site.sources)
    (width, height), (sx, sy), (px, py) = (
        (pair[0], pair[1]) for pair in (operation.pool, operation.stride, operation.padding)
    )
    here = at(source, "c", "j", "i")
    outside = f"j < 0 || j >= {source.height} || i < 0 || i >= {source.width}"
    larger = f"row < 0 || x1[{here}] > x1[{at(source, 'c', 'row', 'column')}]"
    taps = [
        f"const int i = u * {sx} + b - {px};",
        *block(f"if ({outside})", ["continue;"]),
        *block(f"if ({larger})", ["row = j;", "column = i;"]),
    ]
    find = counted("a", height, [f"const int j = v * {sy} + a - {py};", *counted("b", width, taps)])
    inside = f"row >= 0 && row < {made.height} && column < {made.width}"
    put = f"y[{at(made, 'c', 'row', 'column')}] = ({site.output_type})x0[{at(values)}];"
    body = ["int row = -1, column = -1;", *find, *block(f"if ({inside})", [put])]
    return [*counted("k", made.size, ["y[k] = 0;"]), *loops(values, body)]
