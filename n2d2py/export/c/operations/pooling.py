"""Maxima and sums of windows, of a channel or of the channels of a map."""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.types import array, sum_type
from n2d2py.export.c.writing import Site
from n2d2py.integer.network import MaxPool, Pooling, SumPool
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


def _windows(
    site: Site, operation: Pooling, type_: str, begin: list[str], update: list[str], result: str
) -> list[str]:
    site.check_flat()
    source, made = site.sources[0].dims, site.made.dims
    (width, height), (sx, sy), (px, py) = (
        (pair[0], pair[1]) for pair in (operation.pool, operation.stride, operation.padding)
    )
    channels = ["const int c = o;", "{"]
    if operation.mapping is not None:
        channels = [
            f"for (int c = 0; c < {source.channels}; ++c) {{",
            f"    if (!({site.c}_map[(o * {source.channels} + c) / 8] >> (o * {source.channels} + c) % 8 & 1)) {{",
            "        continue;",
            "    }",
        ]
        bits = np.packbits(operation.mapping.T.ravel(), bitorder="little")
        site.add(array(f"{site.c}_map", "uint8_t", bits), len(bits), 1)
    window = [
        f"for (int j = 0; j < {height}; ++j) {{",
        f"    const int v = q * {sy} + j - {py};",
        f"    if (v < 0 || v >= {source.height}) {{",
        "        continue;",
        "    }",
        f"    for (int i = 0; i < {width}; ++i) {{",
        f"        const int u = p * {sx} + i - {px};",
        f"        if (u < 0 || u >= {source.width}) {{",
        "            continue;",
        "        }",
        f"        const {type_} code = x[(c * {source.height} + v) * {source.width} + u];",
        *("        " + line for line in update),
        "    }",
        "}",
    ]
    return [
        f"for (int o = 0; o < {made.channels}; ++o) {{",
        f"    for (int q = 0; q < {made.height}; ++q) {{",
        f"        for (int p = 0; p < {made.width}; ++p) {{",
        *("            " + line for line in [*begin, *channels, *("    " + line for line in window), "}"]),
        f"            {site.store(f'(o * {made.height} + q) * {made.width} + p', result, 'o')}",
        "        }",
        "    }",
        "}",
    ]
