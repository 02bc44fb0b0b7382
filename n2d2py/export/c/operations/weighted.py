"""Conv, Deconv and Fc: rows of weights are unpacked one at a time, and met with every place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from n2d2py.export.c.packing import pack
from n2d2py.export.c.types import SIZES, array, narrowest, sum_type
from n2d2py.export.c.writing import Site, block, counted
from n2d2py.integer.operations import Convolution, Deconvolution, FullyConnected, Weighted
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


@dataclass(frozen=True)
class _Axis:
    """One axis of places: its names in the text, sizes, and the statements that find the place of a tap in the input.

    ``outside`` says when there is none.
    """

    made: str
    tap: str
    place: str
    made_size: int
    taps: int
    size: int
    find: list[str]
    outside: str


_NAMES = (("r", "l", "w"), ("q", "j", "v"), ("p", "i", "u"))
"""Names of output, tap and input along z, y and x."""


def _axes(site: Site, operation: Convolution) -> list[tuple[tuple[str, str, str], int, int, int]]:
    """For z (where kernels have it), y and x: the names, and the sizes of output, kernel and input."""
    count = operation.weights.ndim - 2
    source, made = ((dims.depth, dims.height, dims.width)[-count:] for dims in (site.sources[0].dims, site.made.dims))
    return list(zip(_NAMES[-count:], made, operation.weights.shape[2:], source, strict=True))


@register("c operation", "Convolution")
def convolution(site: Site) -> list[str]:
    """A cross-correlation; taps outside the input are left out."""
    operation = site.operation
    assert isinstance(operation, Convolution)
    along = (operation.stride, operation.sub_sample, operation.padding, operation.dilation)
    steps = zip(*(numbers[::-1] for numbers in along), strict=True)
    axes = []
    for ((made, tap, place), made_size, taps, size), (stride, sample, padding, dilation) in zip(
        _axes(site, operation), steps, strict=True
    ):
        find = [f"const int {place} = {made} * {stride * sample} + {tap} * {dilation} - {padding};"]
        outside = f"{place} < 0 || {place} >= {size}"
        axes.append(_Axis(made, tap, place, made_size, taps, size, find, outside))
    return _spatial(site, operation, axes)


@register("c operation", "Deconvolution")
def deconvolution(site: Site) -> list[str]:
    """A transposed convolution, gathered: the inputs v with v * stride + j * dilation - padding = q."""
    operation = site.operation
    assert isinstance(operation, Deconvolution)
    steps = zip(*(numbers[::-1] for numbers in (operation.stride, operation.padding, operation.dilation)), strict=True)
    axes = []
    for ((made, tap, place), made_size, taps, size), (stride, padding, dilation) in zip(
        _axes(site, operation), steps, strict=True
    ):
        far = f"far_{place}"
        find = [
            f"const int {far} = {made} + {padding} - {tap} * {dilation};",
            f"const int {place} = {far} / {stride};",
        ]
        outside = f"{far} < 0 || {far} % {stride} != 0 || {place} >= {size}"
        axes.append(_Axis(made, tap, place, made_size, taps, size, find, outside))
    return _spatial(site, operation, axes)


def _spatial(site: Site, operation: Convolution, axes: list[_Axis]) -> list[str]:
    outputs, channels = operation.weights.shape[:2]
    taps = math.prod(operation.weights.shape[1:])
    site.macs = math.prod(axis.made_size for axis in axes) * operation.connected_weights.size
    unpacking, total = _unpacking(site, operation, taps), _sum(site, operation)
    first = f"o / {outputs // operation.groups} * {channels}" if operation.groups > 1 else "0"
    kernel, source, made = "c", "(first + c)", "o"
    for index, axis in enumerate(axes):
        kernel, source, made = (
            f"{name if index == 0 else f'({name})'} * {count} + {one}"
            for name, count, one in (
                (kernel, axis.taps, axis.tap), (source, axis.size, axis.place), (made, axis.made_size, axis.made),
            )
        )  # fmt: skip
    body = [f"sum += ({total}){_row(site)}[{kernel}] * x[{source}];"]
    for axis in reversed(axes):
        body = counted(axis.tap, axis.taps, [*axis.find, *block(f"if ({axis.outside})", ["continue;"]), *body])
    body = [f"{total} sum = 0;", *counted("c", channels, body), site.store(made, _result(site, operation), "o")]
    for axis in reversed(axes):
        body = counted(axis.made, axis.made_size, body)
    return counted("o", outputs, [*unpacking, f"const int first = {first};", *body])
