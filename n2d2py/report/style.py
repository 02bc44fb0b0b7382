"""How the pictures look: few colours that colour-blind eyes tell apart, thin lines, no clutter.

Figures are made without pyplot, so nothing global is kept and no display is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from n2d2py.graph.files import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, INK = "#0072b2", "#d55e00", "#009e73", "#8a94a0", "#1f2933"
"""Of the palette of Okabe and Ito, plus two neutrals."""

LIGHT = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "grey": GREY, "ink": INK}
DARK = {"blue": "#56b4e9", "orange": "#f0894a", "green": "#35c79b", "grey": "#7d8894", "ink": "#e6eaee"}
"""The same colours on white and on black paper, for pages that follow the reader's choice."""

_DPI = 120
_SETTINGS: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.edgecolor": "none",
}


@contextmanager
def picture(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of width x height inches that is written to ``path`` as PNG when the block ends well."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(cast(Any, _SETTINGS)):
        figure = Figure(figsize=(width, height), facecolor="white")
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
        yield figure
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI)
    write(path, stream.getvalue())


def percent(value: float) -> str:
    """A share of 100 with as many decimals as it needs to differ from 0 and 100.

    >>> percent(0.5), percent(99.25), percent(100.0)
    ('0.5 %', '99.25 %', '100 %')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") + " %"


def note(axes: Axes, text: str, x: float = 0.985, y: float = 0.97) -> None:
    """Lines of facts in the upper right corner of a plot, on white so that the grid does not cross them."""
    axes.text(
        x, y, text, transform=axes.transAxes, ha="right", va="top", fontsize=9, linespacing=1.4,
        bbox={"facecolor": "white", "edgecolor": "#d3d9e0", "boxstyle": "round,pad=0.4", "alpha": 0.92}, zorder=5,
    )  # fmt: skip


def quoted(name: str) -> str:
    """A name as one word of a text file: in double quotes if it is empty or has a blank or a quote.

    >>> quoted("seven"), quoted("T-shirt top"), quoted('5" disk')
    ('seven', '"T-shirt top"', '"5\\\\" disk"')
    """
    if name and not any(sign.isspace() or sign == '"' for sign in name):
        return name
    return in_quotes(name)


def in_quotes(name: str) -> str:
    """A name in double quotes; quotes and backslashes inside it escaped, line ends as blanks."""
    flat = " ".join(name.splitlines()) if name.splitlines() else name
    escaped = flat.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
