"""Maxima and sums of windows, of a channel or of the channels of a map; maxima of regions."""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.types import SIZES, array, narrowest, sum_type
from n2d2py.export.c.writing import Site, at, block, counted, loops
from n2d2py.integer.movement import RegionMaximum
from n2d2py.integer.operations import MaxPool, Pooling, SumPool
from n2d2py.registry import register


@register("c operation", "MaxPool")
def max_pool(site: Site) -> list[str]:
    """The largest code that is inside."""
    assert isinstance(site.operation, MaxPool)
    type_ = "int64_t" if "64" in site.input_type() else "int32_t"
    begin = [f"{type_} most = 0;", "int empty = 1;"]
    update = ["if (empty || code > most) {", "    most = code;", "    empty = 0;", "}"]
    return _windows(site, site.operation, type_, begin, update, "most")


@register("c operation", "SumPool")
def sum_pool(site: Site) -> list[str]:
    """The sum of the codes that are inside."""
    assert isinstance(site.operation, SumPool)
    type_ = sum_type(max(site.operation.area * site.sources[0].magnitude, 1))
    return _windows(site, site.operation, type_, [f"{type_} total = 0;"], ["total += code;"], "total")


def _windows(site: Site, operation: Pooling, type_: str, begin: list[str], update: list[str], result: str) -> list[str]:
    source, made = site.sources[0].dims, site.made.dims
    channels: list[str] = []
    if operation.mapping is not None:
        bit = f"o * {source.channels} + c"
        channels = block(f"if (!({site.c}_map[({bit}) / 8] >> ({bit}) % 8 & 1))", ["continue;"])
        bits = np.packbits(operation.mapping.T.ravel(), bitorder="little")
        site.add(array(f"{site.c}_map", "uint8_t", bits), len(bits), 1)
    axes = list(
        zip(
            (("r", "l", "w"), ("q", "j", "v"), ("p", "i", "u"))[-len(operation.pool) :],
            *((dims.depth, dims.height, dims.width)[-len(operation.pool) :] for dims in (made, source)),
            *(numbers[::-1] for numbers in (operation.pool, operation.stride, operation.padding)),
            strict=True,
        )
    )
    place, target = "c", "o"
    for index, ((here, _, there), made_size, size, *_) in enumerate(axes):
        place, target = (
            f"{name if index == 0 else f'({name})'} * {count} + {one}"
            for name, count, one in ((place, size, there), (target, made_size, here))
        )
    window = [f"const {type_} code = x[{place}];", *update]
    for (here, tap, there), _, size, taps, stride, padding in reversed(axes):
        find = f"const int {there} = {here} * {stride} + {tap} - {padding};"
        window = counted(tap, taps, [find, *block(f"if ({there} < 0 || {there} >= {size})", ["continue;"]), *window])
    first, count = ("o", "o + 1") if operation.mapping is None else ("0", source.channels)
    over = block(f"for (int c = {first}; c < {count}; ++c)", [*channels, *window])
    body = [*begin, *over, site.store(target, result, "o")]
    for (here, _, _), made_size, *_ in reversed(axes):
        body = counted(here, made_size, body)
    return counted("o", made.channels, body)


@register("c operation", "RegionMaximum")
def region_maximum(site: Site) -> list[str]:
    """The largest code of each region."""
    operation, source, made = site.operation, site.sources[0].dims, site.made.dims
    assert isinstance(operation, RegionMaximum)
    site.check_flat()
    for name, regions in (("rows", operation.rows), ("columns", operation.columns)):
        numbers = np.array(regions).ravel()
        type_ = narrowest(numbers)
        site.add(array(f"{site.c}_{name}", type_, numbers), len(numbers), SIZES[type_])
    type_ = site.input_type()
    ends = [f"{site.c}_{name}[2 * {index}" for name, index in (("rows", "v"), ("columns", "u"))]
    begin = at(source, "c", f"{ends[0]}]", f"{ends[1]}]")
    larger = block(f"if (x[{at(source, 'c', 'j', 'i')}] > most)", [f"most = x[{at(source, 'c', 'j', 'i')}];"])
    columns = block(f"for (int i = {ends[1]}]; i < {ends[1]} + 1]; ++i)", larger)
    rows = block(f"for (int j = {ends[0]}]; j < {ends[0]} + 1]; ++j)", columns)
    return loops(made, [f"{type_} most = x[{begin}];", *rows, site.store(at(made), "most", "c")])
