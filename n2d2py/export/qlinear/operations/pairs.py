"""The sum of two quantized edges as ONNX Runtime's integer kernel computes it, checked on all pairs of codes.

Two DequantizeLinear nodes, Add and QuantizeLinear become one pass over bytes in ONNX Runtime. How it rounds on the way
is not specified, so that scales are searched with which every pair of codes lies well away from where its code changes.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from n2d2py.export.qlinear.graph import Value
from n2d2py.export.qlinear.operations.rescaling import fineness, finish
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.network import Requantization

_MARGIN = 2e-3
"""In units of the bytes that come out: far above what float32 can lose on numbers up to 512."""
_MOST_PAIRS = 1 << 12
_TWEAKS = np.linspace(-0.03, 0.03, 41)


def add_pair(site: Site, operation: Alignment, taker: Requantization) -> Value | None:
    """The rescaled sum of two edges of bytes, or None if it has not this form."""
    if not _fits(site, operation, taker):
        return None
    found = _scales(site, operation, taker, fineness(taker))
    if found is None:
        return None
    (left, right), zero = found
    graph, none = site.graph, site.graph.constant(0, "uint8")
    reals = [
        graph.node("DequantizeLinear", [value.name, graph.constant(scale, "float"), none])
        for value, scale in zip(site.inputs, (left, right), strict=True)
    ]
    total = graph.node("Add", reals)
    fine_bytes = graph.node("QuantizeLinear", [total, graph.constant(1.0, "float"), graph.constant(zero, "uint8")])
    return finish(site, taker, fine_bytes, fineness(taker))


def _fits(site: Site, operation: Alignment, taker: Requantization) -> bool:
    """Two inputs of bytes and one size, one multiplier each for all channels, few enough pairs."""
    rescaling, numbers = taker.rescaling, [*operation.multipliers, operation.biases]
    return (
        len(site.inputs) == 2
        and all(value.type == "uint8" for value in site.inputs)
        and len({edge.dims for edge in site.sources}) == 1
        and all(len({*array.ravel().tolist()}) == 1 for array in numbers)
        and not rescaling.tables
        and len({*zip(rescaling.multipliers.tolist(), rescaling.biases.tolist(), strict=True)}) == 1
        and int(rescaling.multipliers[0]) > 0
        and rescaling.highest <= 255
        and _pairs(site)[0].size <= _MOST_PAIRS
    )


def _pairs(site: Site) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of reachable codes, int64."""
    ranges = [np.arange(int(edge.low.min()), int(edge.high.max()) + 1) for edge in site.sources]
    left, right = np.meshgrid(*ranges, indexing="ij")
    return left.ravel(), right.ravel()


def _scales(
    site: Site, operation: Alignment, taker: Requantization, fine: int
) -> tuple[tuple[float, float], int] | None:
    """Scales of the stored inputs and the zero point of the output: right, with a margin, for all pairs."""
    rescaling, pairs = taker.rescaling, _pairs(site)
    factors = [int(array.ravel()[0]) for array in operation.multipliers]
    bias = int(operation.biases.ravel()[0])
    sums = np.full(pairs[0].shape, bias, dtype=np.int64)
    for codes, factor, shift in zip(pairs, factors, operation.pre_shifts, strict=True):
        sums += ((codes + (1 << shift >> 1)) >> shift) * factor
    wide = sums >> operation.shift
    wanted = rescaling.codes(np.broadcast_to(wide, (rescaling.channels, wide.size)))[0]
    least = np.where(wanted > 0, fine * wanted - 0.5 + _MARGIN, -np.inf)
    most = np.where(wanted < rescaling.highest, fine * (wanted + 1) - 0.5 - _MARGIN, np.inf)
    slope = fine * float(rescaling.multipliers[0]) * 2.0 ** -(operation.shift + rescaling.shift)
    offset = slope * bias + fine * float(rescaling.biases[0]) * 2.0**-rescaling.shift - 0.5
    units = [value.factor for value in site.inputs]
    base = [
        slope * factor * 2.0**-shift / unit
        for factor, shift, unit in zip(factors, operation.pre_shifts, units, strict=True)
    ]
    zeros = [zero for zero in (int(np.floor(offset)), int(np.ceil(offset))) if 0 <= zero <= 255]
    order = sorted(product(_TWEAKS, _TWEAKS), key=lambda pair: abs(pair[0]) + abs(pair[1]))
    for (one, other), zero in product(order, zeros):
        scales = float(np.float32(base[0] * (1 + one))), float(np.float32(base[1] * (1 + other)))
        if min(scales) <= 0:
            return None
        y = pairs[0] * (scales[0] * units[0]) + pairs[1] * (scales[1] * units[1]) + zero
        if np.all((y >= least) & (y <= most)):
            return scales, zero
    return None
