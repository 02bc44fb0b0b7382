"""Rescalings as ONNX Runtime computes them, fitted until they are equal at every reachable edge.

``QLinearConv`` rescales in float32: y = saturate(rint(float32(sum + bias) * scale)), with an int32 bias and a scale for
each channel. Each of these steps is monotone and correctly rounded, so two rescalings are equal on all reachable
accumulators if they agree before and after each accumulator at which the code changes, and at both ends of the range.

An integer bias alone is too coarse to meet all edges: it moves them by whole accumulators. So weights are multiplied by
F, which makes it a bias of 1/F accumulator. And y is made ``fine`` times finer than the codes: a mask of the upper bits
then rounds down to a code, and saturation at 255 is the upper clip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from n2d2py.integer.network import Edge
from n2d2py.integer.requantization import Rescaling

_CANDIDATES = 1024
_TRIED = 8
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


def integer_line(steps: Steps, factors: list[int], unit: int, fine: int, highest: int) -> Line | None:
    """A line with an int32 bias that ``QLinearConv`` computes right at every edge, or None.

    ``factors`` are those that the weights allow, in order of preference; the inputs are stored times ``unit``.
    """
    if not len(steps.first):
        return Line(0, 1, fine * steps.least, 1.0)
    for factor in factors:
        whole = factor * unit

        def sums(points: np.ndarray, bias: int, scale: float, whole: int = whole) -> np.ndarray:
            wide = whole * points + bias
            if int(np.abs(wide).max()) > _INT32 or abs(bias) > _INT32:
                return np.full(points.shape, -1.0)
            return np.rint(wide.astype(np.float32) * np.float32(scale))

        found = _search(steps, whole, fine, highest, sums)
        if found is not None:
            return Line(factor, steps.sign, *found)
    return None


_FINE_BIAS = 1 << 10


def float_line(steps: Steps, unit: int, fine: int, highest: int) -> tuple[np.float32, np.float32] | None:
    """Slope and offset with rint(float32(float32(acc) * slope) + offset) right at every edge, or None.

    ``acc`` are int32 accumulators times ``unit``, converted to float32.
    """
    if not len(steps.first):
        return np.float32(0), np.float32(fine * steps.least)

    def values(points: np.ndarray, bias: int, scale: float) -> np.ndarray:
        slope, offset = _real(steps, unit, bias, scale)
        stored = (unit * steps.sign * points).astype(np.float32)
        return np.rint((stored * slope).astype(np.float32) + offset)

    found = _search(steps, _FINE_BIAS, fine, highest, values)
    return None if found is None else _real(steps, unit, *found)


def _real(steps: Steps, unit: int, bias: int, scale: float) -> tuple[np.float32, np.float32]:
    return np.float32(steps.sign * _FINE_BIAS * scale / unit), np.float32(bias * scale)


def double_lines(rescaling: Rescaling, edge: Edge) -> tuple[np.ndarray, np.ndarray] | None:
    """Slopes M / 2^n and offsets B / 2^n with floor(acc * slope + offset) right in float64 at every edge, or None."""
    if rescaling.tables:
        return None
    slopes, offsets = (values * 2.0**-rescaling.shift for values in (rescaling.multipliers, rescaling.biases))
    for channel, steps in enumerate(steps_of(rescaling, edge)):
        points, codes = steps.points
        numbers = np.floor((steps.sign * points).astype(np.float64) * slopes[channel] + offsets[channel])
        if not np.array_equal(np.clip(numbers, 0, rescaling.highest), codes):
            return None
    return slopes, offsets


def _search(
    steps: Steps, whole: int, fine: int, highest: int, compute: Callable[[np.ndarray, int, float], np.ndarray]
) -> tuple[int, float] | None:
    """Bias and scale of y = (whole * acc + bias) * scale whose masked y has the right code at every edge."""
    levels = fine * steps.numbers - 0.5
    upper, lower = whole * steps.first.astype(np.float64), whole * (steps.first - 1).astype(np.float64)
    # u = 1 / scale: lower + b < levels * u <= upper + b, and no other edge within the reachable range
    tops, top_levels, bottoms, bottom_levels = upper, levels, lower, levels
    if steps.most < highest:
        bottoms = np.append(bottoms, whole * float(steps.high))
        bottom_levels = np.append(bottom_levels, fine * (steps.most + 1) - 0.5)
    if steps.least > 0:
        tops = np.append(tops, whole * float(steps.low))
        top_levels = np.append(top_levels, fine * steps.least - 0.5)
    spread = levels[-1] - levels[0]
    steep = (upper[-1] - upper[0]) / spread if spread else float(whole * (steps.high - steps.low + 1))
    centre = levels[0] * steep - (upper[0] + lower[0]) / 2
    reach = 3 * whole + int(abs(steep) * 2)
    stride = max(1, 2 * reach // _CANDIDATES)
    biases = np.arange(int(centre) - reach, int(centre) + reach + 1, stride).astype(np.float64)
    least = ((bottoms[:, None] + biases) / bottom_levels[:, None]).max(axis=0)
    most = ((tops[:, None] + biases) / top_levels[:, None]).min(axis=0)
    width = np.where(most > 0, (most - least) / np.maximum(np.abs(most), 1e-300), -1.0)
    points, codes = steps.points
    for index in np.argsort(-width, kind="stable")[:_TRIED]:
        middle = (max(least[index], 0.0) + most[index]) / 2
        if width[index] <= 0 or middle <= 0:
            return None
        bias, scale = int(biases[index]), float(np.float32(1 / middle))
        y = np.clip(compute(points, bias, scale), 0, 255 if fine > 1 else highest)
        if np.array_equal(y // fine, codes):
            return bias, scale
    return None
