"""The charts of ``report.html``: SVG that takes its colours from the page, so that it is right in light and dark.

A chart is as wide as its column; its letters are those of a chart of :data:`WIDTH` points, which fits a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from n2d2py.report.page_histograms import Histogram

WIDTH, HEIGHT = 400, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 12, 36
_MOST_POINTS, _MOST_DOTS = 600, 40
_SMALL = (132, 44)
_DECADE = (1.0, 2.0, 5.0)
_FINE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


@dataclass(frozen=True)
class Series:
    """A line of a chart: its name, the class that gives its colour, its points, and which of them stands out."""

    name: str
    colour: str
    xs: Sequence[float]
    ys: Sequence[float]
    star: int | None = None
    steps: bool = False


@dataclass(frozen=True)
class Axis:
    """The unit of the values, how one is written, and whether the scale is logarithmic."""

    label: str
    form: str = "{:.4g}"
    logarithmic: bool = False
    most: float = math.inf
    """No tick above it."""
    span: tuple[float, float] | None = None
    """The least and the largest value that the axis has room for, where charts stand side by side."""


def line_chart(series: Sequence[Series], along: str, axis: Axis) -> str:
    """An SVG of some series against ``along``; empty if there is no point at all."""
    series = [_finite(one) for one in series]
    series = [one for one in series if one.xs]
    if not series:
        return ""
    xs = [x for one in series for x in one.xs]
    ys = [y for one in series for y in one.ys]
    logarithmic = axis.logarithmic and min(*ys, *(axis.span or ys)) > 0
    left, right = min(xs), max(xs)
    low, high = _ends([*ys, *(axis.span or ())], logarithmic)
    scale = _Scale(left, right, low, high, logarithmic)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_words(series, axis))}">']
    for tick in _ticks(low, high, logarithmic, axis.most):
        y = scale.y(tick)
        parts.append(f'<path class="rule" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{tick:.4g}</text>')
    for tick in whole_ticks(left, right):
        x = scale.x(tick)
        parts.append(f'<path class="mark" d="M{x:.1f} {HEIGHT - _BOTTOM}v4"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}"/>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 4}" text-anchor="middle">{escape(along)}</text>')
    for one in series:
        parts += _drawn(one, scale, along, axis)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Scale:
    left: float
    right: float
    low: float
    high: float
    logarithmic: bool

    def x(self, value: float) -> float:
        share = (value - self.left) / (self.right - self.left) if self.right > self.left else 0.5
        return _LEFT + 6 + share * (WIDTH - _LEFT - _RIGHT - 12)

    def y(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _BOTTOM - _TOP)


def _finite(series: Series) -> Series:
    kept = [index for index, (x, y) in enumerate(zip(series.xs, series.ys, strict=True)) if math.isfinite(x + y)]
    star = kept.index(series.star) if series.star in kept else None
    xs, ys = [series.xs[index] for index in kept], [series.ys[index] for index in kept]
    return Series(series.name, series.colour, xs, ys, star, series.steps)


def _drawn(series: Series, scale: _Scale, along: str, axis: Axis) -> list[str]:
    every = max(1, -(-len(series.xs) // _MOST_POINTS))
    kept = sorted({*range(0, len(series.xs), every), len(series.xs) - 1})
    places = [(scale.x(series.xs[index]), scale.y(series.ys[index])) for index in kept]
    path = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    for x, y in places[1:]:
        path += f"H{x:.1f}V{y:.1f}" if series.steps else f"L{x:.1f} {y:.1f}"
    parts = [f'<path class="line {series.colour}" d="{path}"/>']
    dots = range(len(series.xs)) if len(series.xs) <= _MOST_DOTS and not series.steps else ()
    for index in sorted({*dots, *([] if series.star is None else [series.star])}):
        x, y = scale.x(series.xs[index]), scale.y(series.ys[index])
        words = f"{series.name}, {along} {series.xs[index]:g}: {axis.form.format(series.ys[index])}"
        best = index == series.star
        parts.append(
            f'<circle class="{"best" if best else "dot"} {series.colour}" cx="{x:.1f}" cy="{y:.1f}" '
            f'r="{5 if best else 2.4}"><title>{escape(words)}{", the best" if best else ""}</title></circle>'
        )
    return parts


def _words(series: Sequence[Series], axis: Axis) -> str:
    return f"{axis.label}: " + ", ".join(f"{one.name} last {axis.form.format(one.ys[-1])}" for one in series)


def _ends(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        return low / 1.25, high * 1.25
    if high - low < 0.02 * max(abs(low), abs(high)):  # as good as constant: more digits would only fill the margin
        low, high = low - 0.05 * abs(low), high + 0.05 * abs(high)
    margin = (high - low) * 0.08 or 1.0
    return (0.0 if low >= 0 and low < 0.5 * high else low - margin), high + margin


def _ticks(low: float, high: float, logarithmic: bool, most: float) -> list[float]:
    """Round values between two ends, about five."""
    if not logarithmic:
        step = _step((high - low) / 5)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        found = [float(f"{number * step:.12g}") for number in range(first, last + 1)]
        return [tick for tick in found if tick <= most]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in (_DECADE[:1], _DECADE, _FINE):
        ticks = [float(f"{step * 10.0**decade:.3g}") for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= min(high, most)]
        if len(ticks) >= 4:
            break
    # Labels must not touch: each is at least a tenth of the axis away from the one before.
    kept: list[float] = []
    for tick in ticks:
        if not kept or math.log(tick / kept[-1]) >= 0.1 * math.log(high / low):
            kept.append(tick)
    return kept


def _step(wanted: float) -> float:
    decade: float = 10.0 ** math.floor(math.log10(wanted))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= wanted * 0.999)


def whole_ticks(left: float, right: float) -> list[float]:
    """Round whole numbers from ``left`` to ``right``, about six.

    >>> whole_ticks(1, 10), whole_ticks(3, 3)
    ([2.0, 4.0, 6.0, 8.0, 10.0], [3])
    """
    if not right > left:
        return [left]
    step = max(1.0, _step((right - left) / 6))
    return [number * step for number in range(math.ceil(left / step), math.floor(right / step) + 1)]


def small_histogram(histogram: Histogram, colour: str) -> str:
    """A histogram as small as a word: bars without axes, a line where 0 is; its numbers stand in its tooltip."""
    width, height = _SMALL
    counts = histogram.counts
    top = max(counts) or 1
    bar = width / len(counts)
    gap = min(1.0, bar / 4) if histogram.levels else 0.0
    path = ""
    for index, count in enumerate(counts):
        if count:
            tall = max(0.75, count / top * (height - 4))
            path += f"M{index * bar + gap / 2:.1f} {height}v-{tall:.1f}h{bar - gap:.1f}v{tall:.1f}z"
    zero = ""
    if histogram.low < 0 < histogram.high and not histogram.levels:
        x = -histogram.low / (histogram.high - histogram.low) * width
        zero = f'<path class="zero" d="M{x:.1f} 0V{height}"/>'
    return (
        f'<svg class="small" viewBox="0 0 {width} {height + 1}" role="img">'
        f"<title>{escape(words_of(histogram))}</title>{zero}"
        f'<path class="bars {colour}" d="{path}"/><path class="axis" d="M0 {height + 0.5}H{width}"/></svg>'
    )


def words_of(histogram: Histogram) -> str:
    """Its moments in words."""
    levels = f", {histogram.used} of {histogram.levels} levels used" if histogram.levels else ""
    return (
        f"{histogram.total:,} values, mean {histogram.mean:.4g}, std. dev. {histogram.deviation:.4g}, "
        f"from {histogram.low:.4g} to {histogram.high:.4g}, {100 * histogram.zeros:.1f} % zeros{levels}"
    )
