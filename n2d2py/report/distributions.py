"""Distributions of weights: sorted values as text, and a picture of how they lie.

Quantized weights get one bar a level, with the integer codes as second axis; real ones a histogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from n2d2py.graph.files import write
from n2d2py.learn.names import path_of
from n2d2py.report import style

if TYPE_CHECKING:
    from n2d2py.quant.grid import Grid

_FEW = 33
"""Up to this number of levels every bar has its share above it and its code below."""


@dataclass(frozen=True)
class Spread:
    """Moments of a set of finite values; standard deviation without Bessel's correction."""

    count: int
    mean: float
    deviation: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"mean {self.mean:.4g}, std. dev. {self.deviation:.4g}"


def spread(values: np.ndarray) -> Spread:
    """Moments of ``values``, of any shape; all 0 if there is none."""
    flat = np.asarray(values, np.float64).ravel()
    if flat.size == 0:
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    return Spread(flat.size, float(flat.mean()), float(flat.std()), float(flat.min()), float(flat.max()))


def write_real(folder: str | Path, cell: str, tensor: str, values: np.ndarray) -> list[Path]:
    """``<cell>_<tensor>.distrib.dat`` (ascending, 10 digits, one a line) and its histogram ``.distrib.png``.

    ``tensor`` is ``weights``, ``biases``, ``weights_quant`` (real values that a quantizer gives without a grid)...;
    ``values`` float of any shape.
    """
    base = Path(folder) / f"{path_of(cell)}_{tensor}.distrib"
    flat = np.sort(np.asarray(values, np.float64).ravel())
    data = write(f"{base}.dat", "".join(f"{value:.10g}\n" for value in flat.tolist()))
    finite = flat[np.isfinite(flat)]
    facts = spread(finite)
    words = f"{tensor.removesuffix('_quant')} after the quantizer" if tensor.endswith("_quant") else tensor
    with style.picture(f"{base}.png", 7.0, 4.0) as figure:
        axes = figure.subplots()
        axes.set_title(f"{cell}: {words}")
        axes.set_xlabel("value")
        axes.set_ylabel("values in a bin")
        axes.grid(axis="x", visible=False)
        lines = [f"{facts.count:,} values", f"mean {facts.mean:.4g}", f"std. dev. {facts.deviation:.4g}"]
        lines.append(f"from {facts.low:.4g} to {facts.high:.4g}")
        if finite.size:
            edges = _edges(finite)
            axes.hist(finite, bins=edges.tolist(), color=style.BLUE, edgecolor="white", linewidth=0.4)
            axes.axvline(facts.mean, color=style.ORANGE, linewidth=1.4, label="mean")
            axes.axvspan(
                facts.mean - facts.deviation, facts.mean + facts.deviation, color=style.ORANGE, alpha=0.10, zorder=0,
                label="± std. dev.", linewidth=0,
            )  # fmt: skip
            axes.legend(loc="upper left", fontsize=9)
            axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
            lines.append(f"bins of {edges[1] - edges[0]:.3g}")
        if finite.size < flat.size:
            lines.append(f"{flat.size - finite.size} not finite")
        style.note(axes, "\n".join(lines))
    return [data, Path(f"{base}.png")]


def write_levels(folder: str | Path, cell: str, codes: np.ndarray, grid: Grid, tensor: str = "weights") -> list[Path]:
    """``<cell>_<tensor>_quant.distrib.dat`` (values ascending, 6 digits) and one bar a level in ``.distrib.png``.

    ``codes`` are integer codes of any shape on ``grid``; the values are ``codes * grid.scale``. A 0 that stands
    for an absent connection, on a grid without a level 0, is left out.
    """
    base = Path(folder) / f"{path_of(cell)}_{tensor}_quant.distrib"
    flat = np.sort(np.asarray(codes).ravel().astype(np.int64))
    levels = np.asarray(grid.codes, dtype=np.int64)
    places = np.minimum(np.searchsorted(levels, flat), levels.size - 1)
    there = levels[places] == flat
    flat, places = flat[there], places[there]
    data = write(f"{base}.dat", "".join(f"{value:.6g}\n" for value in (flat * grid.scale).tolist()))
    counts = np.bincount(places, minlength=levels.size)
    few = levels.size <= _FEW
    with style.picture(f"{base}.png", 9.0 if few and levels.size > 8 else 8.0, 4.4) as figure:
        axes = figure.subplots()
        _bars(axes, levels, counts, grid, few)
        axes.set_title(f"{cell}: quantized {tensor}", pad=10)
        axes.set_xlabel("value (code × scale)")
        axes.set_ylabel(f"{tensor} on the level")
        facts = spread(flat * grid.scale)
        bits = (levels.size - 1).bit_length()
        style.note(axes, "\n".join([
            f"{bits} bit{'' if bits == 1 else 's'}, {int((counts > 0).sum())} of {levels.size} levels used",
            f"{facts.count:,} {tensor}",
            f"mean {facts.mean:.4g}, std. dev. {facts.deviation:.4g}",
            f"scale {grid.scale:.6g}" + (f", codes in steps of {grid.step}" if grid.step != 1 else ""),
        ]))  # fmt: skip
    return [data, Path(f"{base}.png")]


def _bars(axes: Any, levels: np.ndarray, counts: np.ndarray, grid: Grid, few: bool) -> None:
    """The bars, real values below, integer codes above, shares on the right or on the bars."""
    step = grid.scale * (int(np.diff(levels).min()) if levels.size > 1 else 1)
    values = levels * grid.scale
    total = max(int(counts.sum()), 1)
    axes.bar(values, counts, width=step * (0.78 if few else 1.0), color=style.BLUE, linewidth=0)
    axes.grid(axis="x", visible=False)
    axes.set_xlim(values[0] - 0.8 * step, values[-1] + 0.8 * step)
    axes.set_ylim(0, max(int(counts.max()), 1) * 1.42)
    if few:
        axes.set_xticks(values, [f"{value:.3g}" for value in values], rotation=0 if levels.size <= 8 else 55)
        for value, count in zip(values, counts.tolist(), strict=True):
            axes.annotate(
                _share(count, total), (value, count), (0, 3), textcoords="offset points", ha="center", fontsize=8,
                color=style.INK if count else style.GREY,
            )  # fmt: skip
    codes = axes.secondary_xaxis("top", functions=(lambda x: x / grid.scale, lambda x: x * grid.scale))
    codes.set_xlabel("integer code", fontsize=9)
    codes.tick_params(labelsize=9)
    codes.set_xticks(levels if few else _round_ticks(levels))
    shares = axes.secondary_yaxis("right", functions=(lambda y: 100.0 * y / total, lambda y: y * total / 100.0))
    shares.set_ylabel("share [%]", fontsize=9)
    shares.set_yticks(_percentages(min(100.0, 100.0 * axes.get_ylim()[1] / total)))
    shares.tick_params(labelsize=9)


def _share(count: int, total: int) -> str:
    """A share in words short enough for a bar."""
    if count == 0:
        return "0"
    share = 100.0 * count / total
    return f"{share:.0f} %" if share >= 9.5 else f"{share:.1f} %" if share >= 0.05 else "<0.1 %"


def _percentages(top: float) -> list[float]:
    """Round numbers from 0 to ``top``, which is at most 100."""
    from matplotlib.ticker import MaxNLocator

    return [float(tick) for tick in MaxNLocator(6).tick_values(0.0, top) if tick <= top]


def _round_ticks(levels: np.ndarray) -> np.ndarray:
    """About nine codes that are there: both ends, and the rest evenly between them."""
    return levels[np.unique(np.linspace(0, levels.size - 1, 9).round().astype(int))]


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of the bins: the rule of Freedman and Diaconis (1981), kept between 12 and 120 bins."""
    low, high = float(values[0]), float(values[-1])
    if not high - low > abs(high) * 1e-12:
        margin = max(abs(high) * 0.05, 1e-3)
        return np.linspace(low - margin, high + margin, 12)
    quartiles = np.quantile(values, [0.25, 0.75])
    width = 2.0 * float(quartiles[1] - quartiles[0]) / values.size ** (1 / 3)
    bins = int(np.ceil((high - low) / width)) if width > 0 else 60
    return np.linspace(low, high, min(max(bins, 12), 120) + 1)
