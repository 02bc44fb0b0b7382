"""The page of a run in stages (``-recipe``): what the pages of the stages tell, side by side."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from n2d2py.graph.files import write
from n2d2py.learn.progress import duration
from n2d2py.report import page_html
from n2d2py.report.page_charts import Axis, Series
from n2d2py.report.page_facts import LEARNED, OUTPUT, QUANTIZED, Facts, Point
from n2d2py.report.page_views import (
    ERRORS,
    Chart,
    DistributionRow,
    Tile,
    chart_of,
    drawn_of,
    error_series,
    layer_rows,
    loss_series,
    percent,
    rate_series,
    spans,
    targets_of,
    tested_views,
    tiles,
    totals,
)


@dataclass(frozen=True)
class StageRow:
    """A line of the table of stages."""

    name: str
    page: str
    state: str
    epochs: str
    validation: str
    tests: list[str]
    loss: str
    seconds: str


def write_stages(folder: Path, title: str, stages: Sequence[str]) -> Path | None:
    """``report.html`` in ``folder``, of the stages that have a page in the folders below; None if there is none."""
    found = [(name, told) for name in stages if (told := page_html.read(folder / name / page_html.FILE)) is not None]
    if not found:
        return None
    last, drawings = found[-1][1]
    facts = [(name, told[0]) for name, told in found]
    named = distribution_columns(facts)
    text = page_html.rendered(
        "stages.html",
        None,
        title=title,
        caption=last.caption,
        refresh=0,
        tiles=_tiles(facts),
        stages=[_row(name, one) for name, one in facts],
        rows_of_charts=_charts(facts),
        layers=layer_rows(last),
        totals=totals(last),
        columns=[words for words, _, _ in named],
        distributions=_distributions(facts, named),
        last=last,
        tests=tested_views(last),
        drawings=[(name, base64.b64encode(svg).decode()) for name, svg in drawings.items()],
        commands=[one for _, told in facts for one in told.commands[-1:]],
    )
    return write(folder / page_html.FILE, text)


def _tiles(stages: Sequence[tuple[str, Facts]]) -> list[Tile]:
    """The last test of each stage, and what the last stage says of its codes and weights."""
    found = []
    for name, facts in stages:
        for test in facts.tests[-1:]:
            found.append(Tile(name, percent(test.rate), f"{test.what}, {test.stimuli:,} stimuli"))
    return found + [tile for tile in tiles(stages[-1][1]) if tile.label in ("codes of the integers", "weights")]


def _row(name: str, facts: Facts) -> StageRow:
    points, last = facts.learning.points, facts.commands[-1] if facts.commands else None
    best = [point.score for point in points if point.best and point.score is not None]
    loss = points[-1].loss if points else None
    return StageRow(
        name=name,
        page=f"{name}/{page_html.FILE}",
        state="" if last is None else last.state,
        epochs=f"{(points[-1].epoch or 0) + 1} of {facts.learning.epochs}" if points else "–",
        validation=percent(best[-1]) if best else "–",
        tests=[f"{percent(test.rate)} ({test.what})" for test in facts.tests],
        loss="–" if loss is None else f"{loss:.4g}",
        seconds="" if last is None else duration(last.seconds),
    )


def _charts(stages: Sequence[tuple[str, Facts]]) -> list[list[Chart]]:
    """Rows of charts: errors, losses and learning rates, a column a stage, a row with one axis."""
    learning = [(name, facts.learning.points) for name, facts in stages if facts.learning.points]
    if not learning:
        return []
    target = targets_of(learning[0][1])[:1]
    rows = []
    if target:
        rows.append(_beside("error rate [%]", learning, lambda points: error_series(points, target[0]), ERRORS))
    rows.append(_beside("loss", learning, loss_series, None))
    rows.append(_beside("learning rate", learning, rate_series, None))
    return [row for row in rows if row]


def _beside(
    title: str,
    stages: Sequence[tuple[str, list[Point]]],
    made: Callable[[Sequence[Point]], list[Series]],
    axis: Axis | None,
) -> list[Chart]:
    series = [(name, made(points)) for name, points in stages]
    values = [y for _, some in series for one in some for y in one.ys]
    if not values:
        return []
    ends = (min(values), max(values))
    logarithmic = spans([one for _, some in series for one in some]) if axis is None else axis.logarithmic
    used = Axis(title if axis is None else axis.label, logarithmic=logarithmic, span=ends)
    charts = [chart_of(f"{name}: {title}", some, "epoch", used) for name, some in series]
    return [chart for chart in charts if chart is not None]


def distribution_columns(stages: Sequence[tuple[str, Facts]]) -> list[tuple[str, int, str]]:
    """(words, number of the stage, of what): what each stage that learned computes with, then what it gives."""
    learned = [index for index, (_, facts) in enumerate(stages) if facts.learning.points]
    found = []
    for kinds, words in (((QUANTIZED, LEARNED), "weights"), ((OUTPUT,), "output")):
        for index in learned:
            there = {one.stage for one in stages[index][1].distributions}
            kind = next((kind for kind in kinds if kind in there), None)
            if kind is not None:
                found.append((f"{stages[index][0]}: {words}", index, kind))
    return found


def _distributions(
    stages: Sequence[tuple[str, Facts]], columns: Sequence[tuple[str, int, str]]
) -> list[DistributionRow]:
    colours = {QUANTIZED: "orange", LEARNED: "blue", OUTPUT: "green"}
    types = {layer.name: layer.type for _, facts in stages for layer in facts.layers}
    rows = []
    for cell, kind in types.items():
        found = [(stages[index][1].of(cell, stage), colours[stage]) for _, index, stage in columns]
        if any(histogram for histogram, _ in found):
            rows.append(DistributionRow(cell, kind, [drawn_of(histogram, colour) for histogram, colour in found]))
    return rows
