"""The rescaled sum of accumulators and codes, as in a residual block: two float32 lines, checked at every edge.

For each code of the short way, the number of the level is a monotone function of the accumulator. Its edges are found
by halving in the integers themselves. With A and C of each channel and one B,

    y = rint(float32(float32(float32(acc) * A) + C) + float32(code * B))

is monotone too, so that both are equal on all pairs if they agree before and after every edge and at the ends. The A
and C that meet all edges in real numbers are a convex region; what float32 makes of some of them is compared with the
integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.export.qlinear.operations.rescaling import finish
from n2d2py.export.qlinear.writing import IN_RESCALING, Site
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.operations import Edge, Requantization

_MOST_EDGES = 1 << 10
"""Of one channel: with more of them no line in float32 meets all."""
_GRID = 129
_ROUNDS = 4
_AROUND = np.concatenate([[0.0], *([step, -step] for step in 2.0 ** -np.arange(24, 13, -0.5))])
_INSIDE = np.array([0.5, 0.4, 0.6, 0.3, 0.7, 0.45, 0.55, 0.2, 0.8, 0.35, 0.65, 0.1, 0.9])
"""Slopes and offsets that are tried: around the widest interval, and within the interval of each."""
_PATH = "two float32 lines, equal at all edges"


@dataclass(frozen=True, eq=False)
class Pair:
    """A sum whose input ``wide`` holds accumulators, on their way through ``before`` if that is not None."""

    total: Alignment
    taker: Requantization
    wide: int
    before: Alignment | None
    accumulators: Edge
    short: Edge
    unit: float
    """Levels that one of the sum's integers is worth."""

    def numbers(self, accumulators: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """The levels' numbers of accumulators (channels, points) beside codes (points)."""
        if self.before is not None:
            accumulators = aligned(self.before, [accumulators])
        terms = [accumulators, codes[None]] if self.wide == 0 else [codes[None], accumulators]
        return self.taker.rescaling.codes(aligned(self.total, terms))

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Accumulators (channels, points) that decide equality, the codes beside them (points), and the numbers."""
        low, high = self.accumulators.low[:, None], self.accumulators.high[:, None]
        codes = np.arange(int(self.short.low.min()), int(self.short.high.max()) + 1)
        ends = np.stack([self.numbers(np.repeat(end, len(codes), axis=1), codes) for end in (low, high)])
        falling = (ends[1] < ends[0]).any(axis=1, keepdims=True)
        levels = np.arange(1, self.taker.rescaling.highest + 1)
        beside, reached = np.repeat(codes, len(levels)), np.tile(levels, len(codes))
        # The first accumulator from which on the level is reached, or is not any more.
        first, last = np.broadcast_to(low, (len(low), len(beside))), np.broadcast_to(high + 1, (len(low), len(beside)))
        while np.any(first < last):
            middle = (first + last) >> 1
            on = (self.numbers(np.minimum(middle, high), beside) >= reached) ^ falling
            first, last = np.where(on | (first >= last), first, middle + 1), np.where(on, middle, last)
        edges = [np.clip(edge, low, high) for edge in (first - 1, first)]
        ways = [np.broadcast_to(end, (len(low), len(codes))) for end in (low, high)]
        accumulators, beside = np.concatenate([*edges, *ways], axis=1), np.concatenate([beside, beside, codes, codes])
        return accumulators, beside, self.numbers(accumulators, beside)


def aligned(operation: Alignment, terms: list[np.ndarray]) -> np.ndarray:
    """What an alignment gives for codes (channels, points), its numbers being one for all places of a channel."""
    total = np.asarray(_flat(operation.biases))
    for codes, factors, shift in zip(terms, operation.multipliers, operation.pre_shifts, strict=True):
        total = total + ((codes + (1 << shift >> 1)) >> shift) * _flat(factors)
    return total >> operation.shift


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1)


def add_accumulators(site: Site, operation: Alignment, taker: Requantization) -> bool:
    """Whether the sum could be written with its rescaling in float32."""
    pair = _pair(site, operation, taker)
    if pair is None:
        return False
    lines = find_lines(pair)
    if lines is None:
        return False
    slopes, offsets, scales = lines
    graph, source = site.graph, site.values[pair.accumulators.name]
    short = site.inputs[1 - pair.wide]
    scaled = graph.node("Mul", [graph.cast(source, "float").name, graph.channelled(slopes, "float")])
    moved = graph.node("Add", [scaled, graph.channelled(offsets, "float")])
    numbers = (scales, np.full(len(scales), short.zero)) if np.any(scales != scales[0]) else (scales[0], short.zero)
    inputs = [short.name, graph.constant(numbers[0], "float"), graph.constant(numbers[1], "uint8")]
    other = graph.node("DequantizeLinear", inputs, axis=1)
    total = graph.node("Add", [moved, other])
    result = finish(
        site, taker, graph.node("QuantizeLinear", [total, graph.constant(1.0, "float"), graph.constant(0, "uint8")])
    )
    for passed in (pair.before, operation):
        if passed is not None:
            site.give(passed.name, result, IN_RESCALING)
    site.give(taker.name, result, _PATH)
    return True


def _pair(site: Site, operation: Alignment, taker: Requantization) -> Pair | None:
    """The sum, if one input are accumulators in int32 and the other bytes, each channel in one way at all places."""
    network = site.export.network
    if len(site.inputs) != 2 or len({edge.dims for edge in site.sources}) != 1 or taker.rescaling.highest > 255:
        return None
    made, levels = site.made.grid, network.edges[taker.name].grid
    if made is None or levels is None or levels.uneven or any(operation.pre_shifts):
        return None
    for wide in (0, 1):
        source, before = operation.inputs[wide], None
        found = network[source] if source in site.paths else None
        if isinstance(found, Alignment) and len(found.inputs) == 1:
            if len(network.consumers(source)) != 1 or source in site.export.outputs:
                continue
            before, source = found, found.inputs[0]
        short, edge = site.sources[1 - wide], network.edges[source]
        many = (int(short.high.max()) - int(short.low.min()) + 1) * taker.rescaling.highest
        numbers = [(operation.multipliers[1 - wide], 1)]
        for one in (operation,) if before is None else (operation, before):
            numbers += [(array, edge.dims.channels) for array in (*one.multipliers, one.biases)]
        if (
            site.values[source].type == "int32"
            and site.inputs[1 - wide].type == "uint8"
            and many <= _MOST_EDGES
            and all(array.size in (1, size) for array, size in numbers)
        ):
            return Pair(operation, taker, wide, before, edge, short, made.scale / levels.scale)
    return None


def find_lines(pair: Pair) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A, C and B of each channel, float32; or None if a channel has none that is right on all pairs."""
    made = pair.taker.rescaling
    accumulators, beside, numbers = pair.points()
    codes = beside.astype(np.float32)
    unit = pair.unit * 2.0**-pair.total.shift
    steep = unit * pair.total.multipliers[pair.wide].reshape(-1)
    if pair.before is not None:
        steep = steep * pair.before.multipliers[0].reshape(-1) * 2.0**-pair.before.shift
    scale = unit * float(pair.total.multipliers[1 - pair.wide].ravel()[0])
    if not scale > 0:
        return None
    found = []
    for acc, row, slope in zip(accumulators, numbers, np.broadcast_to(steep, len(accumulators)).tolist(), strict=True):
        lines = ((line, b) for b in _around(scale) if (line := _line(acc, codes * b, row, slope, made.highest)))
        if (first := next(lines, None)) is None:
            return None
        found.append((*first[0], first[1]))
    slopes, offsets, scales = np.array(found, dtype=np.float32).T
    return slopes, offsets, scales


def _around(value: float) -> np.ndarray:
    """float32 numbers near a value, the nearest first."""
    near = np.unique(np.float32(value * (1 + _AROUND)))
    return near[np.argsort(np.abs(near - np.float32(value)), kind="stable")]


def _line(
    accumulators: np.ndarray, other: np.ndarray, numbers: np.ndarray, steep: float, highest: int
) -> tuple[np.float32, np.float32] | None:
    """A and C of one channel beside the float32 numbers ``other`` of the short way."""
    rest = numbers - other.astype(np.float64)
    lower = np.where(numbers > 0, rest - 0.5, -np.inf)
    upper = np.where(numbers < highest, rest + 0.5, np.inf)

    def ends(slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = accumulators[:, None] * slopes[None, :]
        least, most = (lower[:, None] - moved).max(axis=0), (upper[:, None] - moved).min(axis=0)
        return np.maximum(least, -1e9), np.minimum(most, 1e9)

    centre, reach = steep, abs(steep) * 0.02
    for _ in range(_ROUNDS):
        slopes = np.unique(np.linspace(centre - reach, centre + reach, _GRID))
        least, most = ends(slopes)
        centre, reach = float(slopes[(most - least).argmax()]), reach * 4 / _GRID
    tried = _around(centre)
    least, most = ends(tried.astype(np.float64))
    offsets = (least[None, :] + _INSIDE[:, None] * (most - least)[None, :]).astype(np.float32)
    slopes = np.broadcast_to(tried, offsets.shape)[:, least < most].ravel()
    offsets = offsets[:, least < most].ravel()
    if not len(slopes):
        return None
    stored = accumulators.astype(np.float32)[:, None]
    apart = (stored * slopes).astype(np.float32) + offsets
    fused = (stored.astype(np.float64) * slopes + offsets).astype(np.float32)
    right = np.ones(len(slopes), dtype=bool)
    for sums in (apart, fused):  # whichever a runtime does
        y = np.clip(np.rint((sums + other[:, None]).astype(np.float32)), 0, highest)
        right &= np.all(y == numbers[:, None], axis=0)
    best = np.flatnonzero(right)
    return (slopes[best[0]], offsets[best[0]]) if len(best) else None
