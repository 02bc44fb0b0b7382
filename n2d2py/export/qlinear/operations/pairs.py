"""The sum of two quantized edges as ONNX Runtime's integer kernel computes it, checked on all pairs of codes.

Two DequantizeLinear nodes, Add and QuantizeLinear become one pass over bytes in ONNX Runtime. How it rounds on the way
is not specified, so that scales are searched with which every pair of codes lies well away from where its code changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from n2d2py.export.qlinear.fitting import follows, steps_of
from n2d2py.export.qlinear.graph import Value
from n2d2py.export.qlinear.operations.rescaling import finish
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.operations import Requantization
from n2d2py.integer.requantization import Rescaling

_MARGIN = 1e-3
"""In codes: far above what float32 can lose on numbers up to 512."""
_UNIT = 2.0**-24
"""Of a number: what a rounding to float32 may change."""
_MOST_PAIRS = 1 << 16
_TWEAKS = np.linspace(-0.03, 0.03, 41)
_FEW_PAIRS = 1 << 12
"""Beyond these only the scales themselves are tried."""


def add_pair(site: Site, operation: Alignment, taker: Requantization) -> Value | None:
    """The rescaled sum of two edges of bytes, or None if it has not this form."""
    if not _fits(site, operation, taker):
        return None
    found = _scales_by_definition(site, operation, taker) or _scales(site, operation, taker)
    if found is None:
        return None
    (left, right), zero = found
    graph, reals = site.graph, []
    for value, scale in zip(site.inputs, (left, right), strict=True):
        inputs = [value.name, graph.constant(scale, "float"), graph.constant(value.zero, "uint8")]
        reals.append(graph.node("DequantizeLinear", inputs))
    total = graph.node("Add", reals)
    numbers = graph.node("QuantizeLinear", [total, graph.constant(1.0, "float"), graph.constant(zero, "uint8")])
    return finish(site, taker, numbers)


def _fits(site: Site, operation: Alignment, taker: Requantization) -> bool:
    """Two inputs of bytes and one size, the same sum in all channels, few enough pairs."""
    numbers = [*operation.multipliers, operation.biases]
    return (
        len(site.inputs) == 2
        and all(value.type == "uint8" for value in site.inputs)
        and len({edge.dims for edge in site.sources}) == 1
        and all(len({*array.ravel().tolist()}) == 1 for array in numbers)
        and taker.rescaling.highest <= 255
        and _pairs(site)[0].size <= _MOST_PAIRS
    )


def _alike(rescaling: Rescaling) -> bool:
    """Whether all channels are rescaled by the same numbers."""
    tables = {(table.sign, *table.thresholds.tolist()) for table in rescaling.tables.values()}
    return ((len(rescaling.tables) == rescaling.channels and len(tables) == 1) or not tables) and len(
        {*zip(rescaling.multipliers.tolist(), rescaling.biases.tolist(), strict=True)}
    ) == 1


def _pairs(site: Site) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of reachable codes, int64."""
    ranges = [np.arange(int(edge.low.min()), int(edge.high.max()) + 1) for edge in site.sources]
    left, right = np.meshgrid(*ranges, indexing="ij")
    return left.ravel(), right.ravel()


def _wanted(site: Site, operation: Alignment, taker: Requantization) -> np.ndarray:
    """The number of the level of each pair."""
    pairs = _pairs(site)
    factors = [int(array.ravel()[0]) for array in operation.multipliers]
    sums = np.full(pairs[0].shape, int(operation.biases.ravel()[0]), dtype=np.int64)
    for codes, factor, shift in zip(pairs, factors, operation.pre_shifts, strict=True):
        sums += ((codes + (1 << shift >> 1)) >> shift) * factor
    wide, channels = sums >> operation.shift, taker.rescaling.channels
    return taker.rescaling.codes(np.broadcast_to(wide, (channels, wide.size)))[0]


def _scales_by_definition(
    site: Site, operation: Alignment, taker: Requantization
) -> tuple[tuple[float, float], int] | None:
    """As :func:`_scales`, those of a sum with an integer bias: its multipliers times the slope of its step function.

    The margin is a bound of what float32 may lose, also if a runtime first adds up what the zero points give: then
    those products are rounded five times on the way, those of bytes two times and a half, the output's zero point
    three times.
    """
    if taker.line is None or taker.levels or taker.step != 1 or not 0 <= -taker.low <= 255:
        return None
    if operation.shift or any(operation.pre_shifts) or operation.biases.any() or taker.line.biases.any():
        return None
    zero, pairs, highest, slope = -taker.low, _pairs(site), taker.rescaling.highest, float(taker.line.slopes[0])
    if not all(follows(steps, 0, slope, zero, highest) for steps in steps_of(taker.rescaling, site.made)):
        return None
    factors = [int(array.ravel()[0]) for array in operation.multipliers]
    wanted = np.clip(np.rint((pairs[0] * factors[0] + pairs[1] * factors[1]) * slope) + zero, 0, highest)
    one, other = (float(np.float32(factor * slope)) for factor in factors)
    y = pairs[0] * one + pairs[1] * other + zero
    lost = sum(s * (2.5 * 255 + 5 * value.zero) for s, value in zip((one, other), site.inputs, strict=True))
    least, most = _room(wanted, highest, (lost + 3 * zero) * _UNIT)
    return ((one, other), zero) if min(one, other) > 0 and bool(np.all((y >= least) & (y <= most))) else None


def _room(wanted: np.ndarray, highest: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Between which real numbers those of each pair must lie to be rounded to the wanted ones."""
    least = np.where(wanted > 0, wanted - 0.5 + margin, -np.inf)
    return least, np.where(wanted < highest, wanted + 0.5 - margin, np.inf)


def _scales(site: Site, operation: Alignment, taker: Requantization) -> tuple[tuple[float, float], int] | None:
    """Scales of the stored inputs and the zero point of the output: right, with a margin, for all pairs."""
    if not _alike(taker.rescaling):
        return None
    rescaling, pairs = taker.rescaling, _pairs(site)
    least, most = _room(_wanted(site, operation, taker), rescaling.highest, _MARGIN)
    tweaks = _TWEAKS if pairs[0].size <= _FEW_PAIRS else np.zeros(1)
    order = sorted(product(tweaks, tweaks), key=lambda pair: abs(pair[0]) + abs(pair[1]))
    for base, zeros in _starts(site, operation, taker):
        for (one, other), zero in product(order, zeros):
            scales = float(np.float32(base[0] * (1 + one))), float(np.float32(base[1] * (1 + other)))
            y = pairs[0] * scales[0] + pairs[1] * scales[1] + zero
            if min(scales) > 0 and np.all((y >= least) & (y <= most)):
                return scales, zero
    return None


def _starts(
    site: Site, operation: Alignment, taker: Requantization
) -> Iterator[tuple[tuple[float, float], tuple[int, ...]]]:
    """Where the search begins: the scales of the grids, and those of the integers' multipliers, with zero points."""
    rescaling, made = taker.rescaling, site.export.network.edges[taker.name].grid
    grids = [edge.grid for edge in site.sources]
    if made is not None and grids[0] is not None and grids[1] is not None and 0 <= -taker.low <= 255:
        yield (grids[0].scale / made.scale, grids[1].scale / made.scale), (-taker.low,)
    if not rescaling.tables:
        slope = float(rescaling.multipliers[0]) * 2.0 ** -(operation.shift + rescaling.shift)
        offset = slope * float(operation.biases.ravel()[0]) + float(rescaling.biases[0]) * 2.0**-rescaling.shift - 0.5
        left, right = (
            slope * float(array.ravel()[0]) * 2.0**-shift
            for array, shift in zip(operation.multipliers, operation.pre_shifts, strict=True)
        )
        yield (left, right), tuple(zero for zero in (int(np.floor(offset)), int(np.ceil(offset))) if 0 <= zero <= 255)
