"""The learning curve, and the files of successes that it is made from.

The curve shows errors, not successes, on a logarithmic axis: between 99 % and 99.3 % success lies a third of the
errors. The right-hand axis says the same as recognition rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from n2d2py.graph.files import write
from n2d2py.report import style


@dataclass(frozen=True)
class Point:
    """What is known at a log: rates are ratios of success, ``epoch`` counts finished epochs (or learned batches)."""

    epoch: float
    learning: float | None = None
    validation: float | None = None
    test: float | None = None
    rate: float | None = None
    loss: float | None = None


_LAST = 10
"""Logs whose median is shown: at a constant learning rate single epochs swing."""

_MANY = 500
"""Batches whose dots are drawn small and pale."""

_SERIES = (
    ("learning", style.BLUE, "o", "-"),
    ("validation", style.GREEN, "s", "-"),
    ("test", style.ORANGE, "D", "-"),
)


def write_curve(
    path: str | Path, points: Sequence[Point], title: str = "Learning", axis: str = "epoch"
) -> Path:
    """The learning curve as PNG: errors of each set that has any, and below them loss and learning rate if they change.

    ``axis`` names what ``Point.epoch`` counts.
    """
    from matplotlib.ticker import MaxNLocator

    points = sorted(points, key=lambda point: point.epoch)
    lower = [name for name in ("loss", "rate") if _worth_drawing(points, name)]
    heights = [3.2, *[1.2] * len(lower)]
    with style.picture(path, 8.0, sum(heights) + 1.0) as figure:
        rows = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        _draw_errors(rows[0], points)
        rows[0].set_title(title)
        for axes, name in zip(rows[1:], lower, strict=True):
            _draw_lower(axes, points, name)
        rows[-1].set_xlabel(axis)
        rows[-1].xaxis.set_major_locator(MaxNLocator(9, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    return Path(path)


def _series(points: Sequence[Point], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of what is known and finite."""
    pairs = [(point.epoch, getattr(point, name)) for point in points if getattr(point, name) is not None]
    pairs = [(x, y) for x, y in pairs if np.isfinite(y)]
    return np.array([x for x, _ in pairs], float), np.array([y for _, y in pairs], float)


def _worth_drawing(points: Sequence[Point], name: str) -> bool:
    """A constant learning rate is said in words, not drawn."""
    values = _series(points, name)[1]
    return values.size > 1 and (name == "loss" or bool(np.ptp(values) > 0))


def _draw_errors(axes: Any, points: Sequence[Point]) -> None:
    """Error rates in % against epochs; the last value, and the best validation, in words."""
    facts, lowest, highest = [], 100.0, 1e-3
    for name, colour, marker, line in _SERIES:
        x, success = _series(points, name)
        if not x.size:
            continue
        errors = 100.0 * (1.0 - success)
        drawn = np.maximum(errors, _floor(errors))
        marked = marker if x.size <= 40 else None  # more would be a band of ink
        axes.plot(x, drawn, line, color=colour, marker=marked, markersize=3.5, linewidth=1.5, label=name)
        lowest, highest = min(lowest, float(drawn.min())), max(highest, float(drawn.max()))
        best = int(np.argmax(success))
        fact = f"{name}: last {style.percent(100 * success[-1])}"
        if name != "learning" and x.size >= 2 * _LAST:
            fact += f", median of last {_LAST} {style.percent(100 * float(np.median(success[-_LAST:])))}"
        # The best of the test set is a number that nobody may choose by, so it is not named.
        if name == "validation" and x.size > 1:
            fact += f", best {style.percent(100 * success[best])} (at {x[best]:g})"
            axes.plot(x[best], drawn[best], marker="*", color=colour, markersize=11, markeredgecolor="white", zorder=4)
        facts.append(fact)
    axes.set_ylabel("error rate [%]")
    if not facts:
        style.note(axes, "nothing was logged")
        return
    axes.set_yscale("log")
    axes.set_ylim(lowest / 1.3, min(highest * 1.6, 130.0))
    ticks = _round_ticks(*axes.get_ylim())
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)
    right = axes.secondary_yaxis("right")
    right.set_yticks(ticks, [f"{100 - tick:g}" for tick in ticks])
    right.set_yticks([], minor=True)
    right.set_ylabel("recognition rate [%]")
    rates = _series(points, "rate")[1]
    if rates.size and not np.ptp(rates) > 0:
        facts.append(f"learning rate {rates[0]:g}")
    style.note(axes, "\n".join(facts))
    axes.legend(loc="lower left", ncols=3, fontsize=9)


def _floor(errors: np.ndarray) -> float:
    """Where an error rate of 0 is drawn: half of the smallest one that is not 0."""
    some = errors[errors > 0]
    return float(some.min()) / 2 if some.size else 0.01


def _round_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, ... between two positive bounds; finer where that gives too few."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(np.arange(10, 100) / 10)):
        ticks = [float(f"{step * 10.0**decade:.3g}") for decade in decades for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high and tick <= 100]  # percent
        if len(inside) >= 4:
            break
    return inside[:: max(1, len(inside) // 8)]


def _draw_lower(axes: Any, points: Sequence[Point], name: str) -> None:
    x, values = _series(points, name)
    axes.plot(x, values, color=style.GREY, linewidth=1.5, drawstyle="steps-post" if name == "rate" else "default")
    axes.set_ylabel("learning rate" if name == "rate" else "loss")
    positive = values[values > 0]
    stepwise = name == "loss" or np.unique(values).size <= 12  # a smooth decay ends near 0
    if stepwise and positive.size == values.size and values.max() > 20 * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_ylim(0, float(values.max()) * 1.1)


def write_success(
    folder: str | Path, name: str, successes: np.ndarray, window: int = 0, suffix: str = ""
) -> list[Path]:
    """``Success<suffix>_<name>.dat`` (a line a batch: success, moving average; 4 digits) and its picture.

    ``successes`` (batches,) are ratios; the average is that of the last ``window`` batches, 0: of all so far.
    ``suffix`` is ``TopN`` for the files of the N largest outputs.
    """
    base = Path(folder) / f"Success{suffix}_{name}"
    values = np.asarray(successes, np.float64).ravel()
    averages = moving_average(values, window)
    rows = zip(values.tolist(), averages.tolist(), strict=True)
    data = write(f"{base}.dat", "".join(f"{value:.4g} {average:.4g}\n" for value, average in rows))
    with style.picture(f"{base}.png", 7.5, 3.6) as figure:
        axes = figure.subplots()
        axes.set_title(f"Success, {name}")
        axes.set_xlabel("batch")
        axes.set_ylabel("success [%]")
        if values.size:
            every = max(1, values.size // 4000)
            batches = np.arange(1, values.size + 1)
            axes.plot(
                batches[::every], 100 * values[::every], ".", color=style.BLUE,
                alpha=0.25 if values.size > _MANY else 0.7, markersize=3 if values.size > _MANY else 6,
                markeredgewidth=0, label="of a batch",
            )  # fmt: skip
            label = f"average of {window} batches" if window else "average so far"
            axes.plot(batches, 100 * averages, color=style.ORANGE, linewidth=1.6, label=label)
            low = float(np.quantile(100 * values, 0.01))
            axes.set_ylim(max(0.0, low - 0.1 * (100.0 - low) - 0.2), 100.0 + 0.04 * (100.0 - low) + 0.1)
            axes.legend(loc="lower right", title=f"last average {style.percent(100 * averages[-1])}")
    return [data, Path(f"{base}.png")]


def moving_average(values: np.ndarray, window: int = 0) -> np.ndarray:
    """Mean of the last ``window`` values at each place (of all so far while there are fewer, or if it is 0).

    >>> moving_average(np.array([1.0, 0.0, 0.0, 1.0]), 2).tolist()
    [1.0, 0.5, 0.0, 0.5]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0) if window else np.zeros_like(ends)
    return (sums[ends] - sums[starts]) / (ends - starts)


def write_validation(folder: str | Path, scores: Sequence[tuple[int, float]]) -> Path:
    """``Success_validation.dat``: a line a validation, number of learned batches and score (ratio)."""
    text = "".join(f"{batches} {score:.4g}\n" for batches, score in scores)
    return write(Path(folder) / "Success_validation.dat", text)
