"""Rescalings as ONNX Runtime computes them, fitted until they are equal at every reachable edge.

``QLinearConv`` rescales in float32: y = saturate(rint(float32(sum + bias) * scale)), with an int32 bias and a scale for
each channel. Each of these steps is monotone and correctly rounded, so two rescalings are equal on all reachable
accumulators if they agree before and after each accumulator at which the code changes, and at both ends of the range.

An integer bias alone is too coarse to meet all edges: it moves them by whole accumulators. So weights, and where that
is not enough the stored inputs too, are multiplied by F, which makes it a bias of 1/F accumulator.

For real numbers u = 1/scale and b = bias the lines that meet all edges form a convex region: the width of the interval
of u is a concave function of b. Its peak is found by narrowing a grid, the integers b that have an interval by halving;
what the float32 formula makes of some of them is then compared with the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from n2d2py.integer.operations import Edge
from n2d2py.integer.requantization import Rescaling

_GRID = 256
_BIASES = 48
_INSIDE = np.array([0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9, 0.43, 0.57, 0.04, 0.96])
"""Where in the interval of u scales are tried: away from its ends first."""
_INT32 = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Steps:
    """The edges of one channel: code >= numbers[i] from ``first[i]`` on, for rising (sign 1) or falling (-1) codes.

    Everything is said of sign * accumulator, whose reachable range is [low, high].
    """

    sign: int
    first: np.ndarray
    numbers: np.ndarray
    low: int
    high: int
    least: int
    most: int

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Accumulators (times sign) that decide equality, and their codes; int64."""
        below = np.searchsorted(self.first, self.first - 1, side="right")
        order = [self.first - 1, self.first, np.array([self.low, self.high])]
        at = np.searchsorted(self.first, self.first, side="right")
        codes = [self.least + below, self.least + at, np.array([self.least, self.most])]
        return np.concatenate(order), np.concatenate(codes)


@lru_cache(maxsize=2)
def steps_of(rescaling: Rescaling, edge: Edge) -> list[Steps]:
    """The edges of each channel on the reachable range of its accumulators."""
    return [_steps(rescaling, c, int(edge.low[c]), int(edge.high[c])) for c in range(rescaling.channels)]


def _steps(rescaling: Rescaling, channel: int, low: int, high: int) -> Steps:
    edges = sorted(set(rescaling.edges(channel, low, high)))
    ends = _codes(rescaling, channel, np.array([low, high]))
    sign = 1 if ends[1] >= ends[0] else -1
    before = _codes(rescaling, channel, np.array(edges, dtype=np.int64) - 1)
    after = _codes(rescaling, channel, np.array(edges, dtype=np.int64))
    first: list[int] = []
    numbers: list[int] = []
    for edge, old, new in zip(edges, before.tolist(), after.tolist(), strict=True):
        if sign > 0:
            first += [edge] * (new - old)
            numbers += range(old + 1, new + 1)
        else:
            first += [1 - edge] * (old - new)
            numbers += range(new + 1, old + 1)
    order = np.argsort(numbers, kind="stable")
    starts, reached = (np.array(values, dtype=np.int64)[order] for values in (first, numbers))
    least, most = (low, high) if sign > 0 else (-high, -low)
    return Steps(sign, starts, reached, least, most, int(ends.min()), int(ends.max()))


def _codes(rescaling: Rescaling, channel: int, accumulators: np.ndarray) -> np.ndarray:
    table = rescaling.tables.get(channel)
    if table is not None:
        return np.searchsorted(table.thresholds, table.sign * accumulators, side="right")
    values = (accumulators * rescaling.multipliers[channel] + rescaling.biases[channel]) >> rescaling.shift
    return np.clip(values, 0, rescaling.highest)


@dataclass(frozen=True)
class Line:
    """y = (factor * sign * accumulator + bias) * scale; ``factor`` 0 for a channel of one code."""

    factor: int
    sign: int
    bias: int
    scale: float


def integer_line(steps: Steps, factors: list[int], unit: int, highest: int) -> Line | None:
    """A line with an int32 bias that ``QLinearConv`` computes right at every edge, or None.

    ``factors`` are those that the weights allow, in order of preference; the inputs are stored times ``unit``.
    """
    if not len(steps.first):
        return Line(0, 1, steps.least, 1.0)
    for factor in factors:
        whole = factor * unit

        def rounded(points: np.ndarray, biases: np.ndarray, scales: np.ndarray, whole: int = whole) -> np.ndarray:
            wide = whole * points + biases
            y = np.rint(wide.astype(np.float32) * scales.astype(np.float32))
            return np.where((np.abs(wide) <= _INT32) & (np.abs(biases) <= _INT32), y, -1.0 - highest)

        found = _search(steps, whole, highest, rounded)
        if found is not None:
            return Line(factor, steps.sign, found[0], float(np.float32(found[1])))
    return None


def line_by_definition(steps: Steps, bias: int, slope: float, zero: int, highest: int) -> Line | None:
    """The line of a step function that has an integer bias, if ``QLinearConv`` computes it right at every edge.

    Its numbers are those of the line, to which the output's zero point ``zero`` is added after they are rounded.
    """
    if not len(steps.first):
        return Line(0, 1, steps.least - zero, 1.0)
    if not follows(steps, bias, slope, zero, highest):
        return None
    return Line(1, steps.sign, steps.sign * bias, steps.sign * slope)


def follows(steps: Steps, bias: int, slope: float, zero: int, highest: int) -> bool:
    """Whether rint(float32(acc + bias) * slope) + zero, in float32, has the right number at every edge."""
    points, codes = steps.points
    wide, scale = points + steps.sign * bias, np.float32(steps.sign * slope)
    y = np.clip(np.rint(wide.astype(np.float32) * scale) + zero, 0, highest)
    return bool(scale > 0 and np.abs(wide).max() <= _INT32 and np.array_equal(y, codes))


_FINE_BIAS = 1 << 12


def float_line(steps: Steps, highest: int) -> tuple[np.float32, np.float32] | None:
    """Slope and offset with rint(float32(float32(acc) * slope) + offset) right at every edge, or None.

    It is right with the product rounded and with the product kept (fused multiply and add), whichever a runtime does.
    """
    if not len(steps.first):
        return np.float32(0), np.float32(steps.least)

    def rounded(points: np.ndarray, biases: np.ndarray, scales: np.ndarray) -> np.ndarray:
        slopes, offsets = _real(steps, biases, scales)
        stored = (steps.sign * points).astype(np.float32)
        apart = np.rint(stored * slopes + offsets)
        fused = (stored.astype(np.float64) * slopes + offsets).astype(np.float32)
        return np.where(apart == np.rint(fused), apart, np.nan)

    found = _search(steps, _FINE_BIAS, highest, rounded)
    if found is None:
        return None
    slope, offset = _real(steps, np.array(found[0]), np.array(found[1]))
    return np.float32(slope), np.float32(offset)


def _real(steps: Steps, biases: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (steps.sign * _FINE_BIAS * scales).astype(np.float32), (biases * scales).astype(np.float32)


def double_lines(rescaling: Rescaling, edge: Edge) -> tuple[np.ndarray, np.ndarray] | None:
    """Slopes and offsets with floor(acc * slope + offset) right in float64 at every edge, or None.

    They are M / 2^n and B / 2^n, or searched for in a channel of thresholds.
    """
    slopes, offsets = (values * 2.0**-rescaling.shift for values in (rescaling.multipliers, rescaling.biases))
    for channel, steps in enumerate(steps_of(rescaling, edge)):
        if channel in rescaling.tables and len(steps.first):
            found = _search(steps, _FINE_BIAS, rescaling.highest, _doubled)
            if found is None:
                return None
            slopes[channel], offsets[channel] = steps.sign * _FINE_BIAS * found[1], found[0] * found[1] + 0.5
        elif channel in rescaling.tables:
            slopes[channel], offsets[channel] = 0, steps.least
        points, codes = steps.points
        numbers = np.floor((steps.sign * points).astype(np.float64) * slopes[channel] + offsets[channel])
        if not np.array_equal(np.clip(numbers, 0, rescaling.highest), codes):
            return None
    return slopes, offsets


def _doubled(points: np.ndarray, biases: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.floor(points.astype(np.float64) * (_FINE_BIAS * scales) + (biases * scales + 0.5))


_Compute = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""y of accumulators (points, 1), biases (1, lines) and scales (1, lines), before the clip."""


def _search(steps: Steps, whole: int, highest: int, compute: _Compute) -> tuple[int, float] | None:
    """Bias and scale of y = (whole * acc + bias) * scale with which ``compute`` has the right code at every edge."""
    region = _Region(steps, whole, highest)
    points, codes = steps.points
    for biases in region.biases():
        least, most = region.interval(biases)
        least = np.maximum(least, most * 1e-3)
        inverses = least[None, :] + _INSIDE[:, None] * (most - least)[None, :]
        scales = (1 / inverses).ravel()
        tried = np.tile(biases.astype(np.int64), len(_INSIDE))
        y = np.clip(compute(points[:, None], tried[None, :], scales[None, :]), 0, highest)
        right = np.flatnonzero(np.all(y == codes[:, None], axis=0))
        if len(right):
            return int(tried[right[0]]), float(scales[right[0]])
    return None


class _Region:
    """The lines that meet all edges: lower + b < levels * u <= upper + b, no other edge within the reachable range."""

    def __init__(self, steps: Steps, whole: int, highest: int) -> None:
        levels = steps.numbers - 0.5
        upper, lower = whole * steps.first.astype(np.float64), whole * (steps.first - 1).astype(np.float64)
        self._tops, self._top_levels, self._bottoms, self._bottom_levels = upper, levels, lower, levels
        if steps.most < highest:
            self._bottoms = np.append(lower, whole * float(steps.high))
            self._bottom_levels = np.append(levels, steps.most + 0.5)
        if steps.least > 0:
            self._tops = np.append(upper, whole * float(steps.low))
            self._top_levels = np.append(levels, steps.least - 0.5)
        spread = levels[-1] - levels[0]
        steep = (upper[-1] - upper[0]) / spread if spread else float(whole * (steps.high - steps.low + 1))
        self._centre = int(levels[0] * steep - (upper[0] + lower[0]) / 2)
        self._reach = 3 * whole + int(abs(steep) * 2)

    def interval(self, biases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval of u for each bias; it is empty where its ends are the wrong way round."""
        least = ((self._bottoms[:, None] + biases) / self._bottom_levels[:, None]).max(axis=0)
        most = ((self._tops[:, None] + biases) / self._top_levels[:, None]).min(axis=0)
        return least, most

    def _width(self, biases: np.ndarray) -> np.ndarray:
        least, most = self.interval(biases)
        return most - np.maximum(least, 0)

    def biases(self) -> Iterator[np.ndarray]:
        """Integer biases that have an interval, float64: the one with the widest, then some spread over all."""
        low, high = self._centre - self._reach, self._centre + self._reach
        while True:
            grid = np.unique(np.linspace(low, high, _GRID).round())
            best = int(self._width(grid).argmax())
            if len(grid) < _GRID or high - low < _GRID:
                break
            low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        peak = float(grid[best])
        if self._width(grid[best : best + 1])[0] > 0:
            yield grid[best : best + 1]
            first, last = (self._end(peak, peak + way * self._reach) for way in (-1, 1))
            spread = np.unique(np.linspace(first, last, _BIASES).round())
            yield spread[np.argsort(np.abs(spread - peak), kind="stable")]

    def _end(self, inside: float, outside: float) -> float:
        """The last integer bias that has an interval on the way out."""
        while abs(outside - inside) > 1:
            grid = np.linspace(inside, outside, _GRID // 8).round()
            last = int(np.flatnonzero(self._width(grid) > 0)[-1])
            if last == len(grid) - 1:
                return float(grid[last])
            inside, outside = float(grid[last]), float(grid[last + 1])
        return inside
