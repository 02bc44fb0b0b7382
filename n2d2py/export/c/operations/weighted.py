"""Conv, Deconv and Fc: rows of weights are unpacked one at a time, and met with every place."""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.packing import pack
from n2d2py.export.c.types import SIZES, array, narrowest, sum_type
from n2d2py.export.c.writing import Site
from n2d2py.integer.network import Convolution, Deconvolution, FullyConnected, Weighted
from n2d2py.registry import register

_HALF = 1 << 15


def _unpacking(site: Site, operation: Weighted, taps: int) -> list[str]:
    """Statements that unpack row ``o`` into ``row``; the packed weights are added as a constant."""
    packed = pack(operation)
    site.add(array(f"{site.c}_weights", "uint8_t", packed.data), len(packed.data), 1, weights=True)
    site.row, site.wide_row = taps, int(np.abs(operation.weights).max(initial=0)) >= _HALF
    lines = []
    if packed.levels:
        type_ = narrowest(packed.levels)
        site.add(array(f"{site.c}_levels", type_, packed.levels), len(packed.levels), SIZES[type_], weights=True)
        lines.append(f"const {type_} *const levels = {site.c}_levels;")
    index = f"level_index({site.c}_weights, (size_t)(o * {taps} + k) * {packed.bits}, {packed.bits})"
    kind = "int32_t" if site.wide_row else "int16_t"
    row = "wide_row" if site.wide_row else "row"
    return [
        *lines,
        f"for (int k = 0; k < {taps}; ++k) {{",
        f"    {row}[k] = ({kind})({packed.code(index)});",
        "}",
    ]


def _sum(site: Site, operation: Weighted) -> str:
    """The type in which every partial sum fits."""
    bound = int(np.abs(operation.weights.reshape(len(operation.weights), -1)).sum(axis=1).max(initial=0))
    return sum_type(bound * max(site.sources[0].magnitude, 1))


def _result(site: Site, operation: Weighted) -> str:
    """The sum with its bias, ``(sum << F) + bias``; a negative sum is not shifted but multiplied."""
    if operation.bias is None:
        return "sum"
    type_ = narrowest(operation.bias)
    site.add(array(f"{site.c}_bias", type_, operation.bias), len(operation.bias), SIZES[type_])
    wide = sum_type(max(site.made.magnitude, 1))
    return f"({wide})sum * (({wide})1 << {operation.bias_shift}) + {site.c}_bias[o]"


def _row(site: Site) -> str:
    return "wide_row" if site.wide_row else "row"


@register("c operation", "FullyConnected")
def fully_connected(site: Site) -> list[str]:
    """A matrix product."""
    operation = site.operation
    assert isinstance(operation, FullyConnected)
    outputs, inputs = operation.weights.shape
    site.macs = outputs * inputs
    unpacking, total = _unpacking(site, operation, inputs), _sum(site, operation)
    return [
        f"for (int o = 0; o < {outputs}; ++o) {{",
        *("    " + line for line in unpacking),
        f"    {total} sum = 0;",
        f"    for (int k = 0; k < {inputs}; ++k) {{",
        f"        sum += ({total}){_row(site)}[k] * x[k];",
        "    }",
        f"    {site.store('o', _result(site, operation), 'o')}",
        "}",
    ]


@register("c operation", "Convolution")
def convolution(site: Site) -> list[str]:
    """A cross-correlation; taps outside the input are left out."""
    operation = site.operation
    assert isinstance(operation, Convolution)
    (sx, sy), (bx, by), (px, py), (dx, dy) = (
        _plane(pair) for pair in (operation.stride, operation.sub_sample, operation.padding, operation.dilation)
    )
    rows = [f"const int v = q * {sy * by} + j * {dy} - {py};"]
    columns = [f"const int u = p * {sx * bx} + i * {dx} - {px};"]
    return _spatial(site, operation, rows, columns, ("v", "u"))


@register("c operation", "Deconvolution")
def deconvolution(site: Site) -> list[str]:
    """A transposed convolution, gathered: the inputs v with v * stride + j * dilation - padding = q."""
    operation = site.operation
    assert isinstance(operation, Deconvolution)
    (sx, sy), (px, py), (dx, dy) = (
        _plane(pair) for pair in (operation.stride, operation.padding, operation.dilation)
    )
    rows = [f"const int far = q + {py} - j * {dy};", f"const int v = far / {sy};"]
    columns = [f"const int wide = p + {px} - i * {dx};", f"const int u = wide / {sx};"]
    return _spatial(site, operation, rows, columns, ("v", "u"), (f"far % {sy}", f"wide % {sx}"))


def _plane(pair: tuple[int, ...]) -> tuple[int, int]:
    return pair[0], pair[1]


def _spatial(
    site: Site,
    operation: Convolution,
    rows: list[str],
    columns: list[str],
    names: tuple[str, str],
    rests: tuple[str, str] | None = None,
) -> list[str]:
    site.check_flat()
    outputs, channels, height, width = operation.weights.shape
    source, made = site.sources[0].dims, site.made.dims
    taps = channels * height * width
    site.macs = made.width * made.height * operation.connected_weights.size
    unpacking, total = _unpacking(site, operation, taps), _sum(site, operation)
    first = f"o / {outputs // operation.groups} * {channels}" if operation.groups > 1 else "0"
    v, u = names
    outside = [f"{name} < 0 || {name} >= {size}" for name, size in ((v, source.height), (u, source.width))]
    if rests is not None:
        numbers = ("far", "wide")
        outside = [
            f"{number} < 0 || {rest} != 0 || {name} >= {size}"
            for number, rest, name, size in zip(numbers, rests, names, (source.height, source.width), strict=True)
        ]
    place = f"x[((first + c) * {source.height} + v) * {source.width} + u]"
    return [
        f"for (int o = 0; o < {outputs}; ++o) {{",
        *("    " + line for line in unpacking),
        f"    const int first = {first};",
        f"    for (int q = 0; q < {made.height}; ++q) {{",
        f"        for (int p = 0; p < {made.width}; ++p) {{",
        f"            {total} sum = 0;",
        f"            for (int c = 0; c < {channels}; ++c) {{",
        f"                for (int j = 0; j < {height}; ++j) {{",
        *("                    " + line for line in rows),
        f"                    if ({outside[0]}) {{",
        "                        continue;",
        "                    }",
        f"                    for (int i = 0; i < {width}; ++i) {{",
        *("                        " + line for line in columns),
        f"                        if ({outside[1]}) {{",
        "                            continue;",
        "                        }",
        f"                        sum += ({total}){_row(site)}[(c * {height} + j) * {width} + i] * {place};",
        "                    }",
        "                }",
        "            }",
        f"            {site.store(f'(o * {made.height} + q) * {made.width} + p', _result(site, operation), 'o')}",
        "        }",
        "    }",
        "}",
    ]
