"""``report.html``: one file without a network behind it, made of :class:`~n2d2py.report.page_facts.Facts`.

All text goes through jinja2, which escapes it; charts are SVG in the page, drawings of the network are images in
data URIs, so that nothing in them can act.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from n2d2py.graph.files import write
from n2d2py.learn.progress import duration
from n2d2py.report import style
from n2d2py.report.page_facts import RUNNING, Facts, from_json, to_json
from n2d2py.report.page_views import (
    charts,
    columns,
    distribution_rows,
    distribution_words,
    layer_rows,
    learning_words,
    percent,
    tested_views,
    tiles,
    totals,
)
from n2d2py.version import __version__

if TYPE_CHECKING:
    import jinja2

FILE = Path("report.html")
_TEMPLATES = Path(__file__).parent / "templates"
_REFRESH = 20
"""Seconds after which a page of a run that goes on loads itself anew."""

_FACTS = re.compile(r'<script type="application/json" id="facts">(.*?)</script>', re.DOTALL)
_DRAWING = re.compile(r'<img class="graph" alt="([^"]*)" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)">')
_SECTIONS = (
    ("learning", "Learning"),
    ("test", "Test"),
    ("layers", "Layers"),
    ("distributions", "Distributions"),
    ("integers", "Integer network"),
    ("graph", "Graph"),
    ("made", "How it was made"),
)


def write_page(path: str | Path, facts: Facts, drawings: Mapping[str, bytes]) -> Path:
    """Write the page; ``drawings`` are SVG files by their caption."""
    return write(path, page(facts, drawings))


def page(facts: Facts, drawings: Mapping[str, bytes]) -> str:
    """The page as text."""
    last = facts.commands[-1] if facts.commands else None
    shown = {
        "charts": charts(facts.learning),
        "tests": tested_views(facts),
        "layers": layer_rows(facts),
        "distributions": distribution_rows(facts),
        "drawings": [(name, base64.b64encode(svg).decode()) for name, svg in drawings.items() if is_svg(svg)],
    }
    there = {**shown, "graph": shown["drawings"], "learning": shown["charts"], "test": shown["tests"], "made": True}
    there["integers"] = facts.integers or facts.equalities
    return rendered(
        "page.html",
        facts,
        **shown,
        title=facts.title,
        caption=facts.caption,
        status="" if last is None else f"{last.state}, {duration(last.seconds)}",
        broken=last.problem if last is not None else "",
        refresh=_REFRESH if last is not None and last.state == RUNNING else 0,
        sections=[(name, words) for name, words in _SECTIONS if there[name]],
        tiles=tiles(facts),
        learning_words=learning_words(facts.learning),
        totals=totals(facts),
        columns=columns(facts),
        distribution_words=distribution_words(facts),
    )


def rendered(template: str, facts: Facts | None, **shown: Any) -> str:
    """A page of a template, with the facts inside it."""
    from markupsafe import Markup

    # What to_json gives holds no sign that HTML knows.
    carried = Markup("" if facts is None else to_json(facts))
    text = _environment().get_template(template).render(
        facts=facts, facts_json=carried, version=__version__, light=style.LIGHT, dark=style.DARK, **shown
    )
    return re.sub(r"\n\s*\n+", "\n", text)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(number=_number, percent=percent, duration=duration)
    return made


def _number(value: int) -> str:
    return f"{value:,}"


def is_svg(content: bytes) -> bool:
    """Whether these bytes begin as an SVG file does."""
    return b"<svg" in content[:2000]


def read(path: str | Path) -> tuple[Facts, dict[str, bytes]] | None:
    """The facts and drawings of a page; None if there is none, or none of this version."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = _FACTS.search(text)
    facts = from_json(found[1]) if found else None
    if facts is None:
        return None
    return facts, {name: base64.b64decode(data) for name, data in _drawings(text)}


def _drawings(text: str) -> Sequence[tuple[str, str]]:
    return _DRAWING.findall(text)
