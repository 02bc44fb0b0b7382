"""What the templates of ``report.html`` are filled with: numbers of the facts, put in words and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from n2d2py.learn.progress import duration
from n2d2py.report import page_confusion
from n2d2py.report.page_charts import Axis, Series, line_chart, small_histogram
from n2d2py.report.page_facts import LEARNED, OUTPUT, QUANTIZED, START, Facts, Layer, Learning, Point, Test
from n2d2py.report.page_histograms import Histogram

if TYPE_CHECKING:
    from markupsafe import Markup

_SETS = (("learning", "blue"), ("validation", "green"), ("test", "orange"))
_COLOURS = {START: "grey", LEARNED: "blue", QUANTIZED: "orange", OUTPUT: "green"}
_LEAST_ERROR = 0.01
"""Where an error rate of 0 % stands on a logarithmic axis if there is no other one."""


ERRORS = Axis("error rate", "{:.3g} %", logarithmic=True, most=100)


@dataclass(frozen=True)
class Tile:
    """One of the numbers at the head of the page; ``kind``: good, bad or neither."""

    label: str
    value: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart with its title and the colours of its lines."""

    title: str
    keys: list[tuple[str, str]]
    svg: Markup


@dataclass(frozen=True)
class LayerRow:
    """A layer; its weights and MACs as shares of the network, and the bits of its accumulators."""

    layer: Layer
    weights: float
    macs: float
    accumulator: int | None


@dataclass(frozen=True)
class Totals:
    """The sums of the table of layers."""

    weights: int
    others: int
    macs: int


@dataclass(frozen=True)
class Drawn:
    """A small histogram and the words below it."""

    svg: Markup
    ends: str
    words: str


@dataclass(frozen=True)
class DistributionRow:
    """The distributions of a cell, a column a stage."""

    cell: str
    type: str
    columns: list[Drawn | None]


@dataclass(frozen=True)
class TestView:
    """A test and its confusion."""

    __test__ = False  # no test for pytest

    test: Test
    view: page_confusion.View


def percent(ratio: float) -> str:
    """A ratio in per cent with two decimals.

    >>> percent(0.98765), percent(1.0)
    ('98.77 %', '100 %')
    """
    return f"{100 * ratio:.2f}".rstrip("0").rstrip(".") + " %"


def short(count: float) -> str:
    """A count with its unit.

    >>> short(950), short(61706), short(1.8e9)
    ('950', '61.7 k', '1.8 G')
    """
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= factor:
            return f"{count / factor:.3g}{unit}"
    return f"{count:.3g}"


def tiles(facts: Facts) -> list[Tile]:
    """The numbers that tell how the run stands."""
    found = []
    points = facts.learning.points
    for test in facts.tests[-2:]:
        found.append(Tile(f"{test.set.lower()}, {test.what}", percent(test.rate), f"{test.stimuli:,} stimuli"))
    best = [point for point in points if point.best and point.score is not None]
    if best:
        words = f"{facts.learning.metric}, {_at(best[-1])}"
        found.append(Tile("best validation", percent(best[-1].score or 0.0), words))
    if points:
        loss = points[-1].loss
        recent = ", ".join(percent(value) for value in points[-1].learning.values())
        found.append(Tile("last loss of learning", "–" if loss is None else f"{loss:.4g}", f"success {recent}"))
        total = facts.learning.epochs
        done = (points[-1].epoch or 0) + 1
        if total:
            found.append(Tile("epochs", f"{done} of {total}", f"{points[-1].batches:,} batches"))
    for one in facts.equalities[-1:]:
        kind = "bad" if one.differing else "good"
        found.append(Tile("codes of the integers", f"{one.differing:,} differ", f"of {one.codes:,}", kind))
    if facts.layers:
        sums = totals(facts)
        found.append(Tile("weights", short(sums.weights), f"{short(sums.macs)} MACs a stimulus"))
    return found


def _at(point: Point) -> str:
    return f"epoch {point.epoch + 1}" if point.epoch is not None else f"batch {point.batches:,}"


# ------------------------------------------------------------------------------------------------- learning


def learning_words(learning: Learning) -> str:
    """How long it took, at what speed, and what chose the best."""
    if not learning.points:
        return ""
    last = learning.points[-1]
    speed = last.stimuli / max(last.seconds, 1e-9)
    words = f"{last.stimuli:,} stimuli in {duration(last.seconds)}, {short(speed)} a second"
    if any(point.score is not None for point in learning.points):
        words += f"; the best validation is chosen by {learning.metric} (the larger dot)"
    return words + "."


def charts(learning: Learning) -> list[Chart]:
    """Errors of each target, losses, learning rate."""
    points = learning.points
    if not points:
        return []
    targets, counted = targets_of(points), along(points)
    made = []
    for name in targets:
        title = "Error rate [%]" if len(targets) == 1 else f"Error rate, {name} [%]"
        made.append(chart_of(title, error_series(points, name), counted, ERRORS))
    losses, rates = loss_series(points), rate_series(points)
    made.append(chart_of("Loss", losses, counted, Axis("loss", logarithmic=spans(losses))))
    made.append(chart_of("Learning rate", rates, counted, Axis("learning rate", logarithmic=spans(rates))))
    return [chart for chart in made if chart is not None]


def along(points: Sequence[Point]) -> str:
    """What the logs are counted in."""
    return "epoch" if all(point.epoch is not None for point in points) else "batch"


def place(point: Point) -> float:
    """Where a log stands on that axis."""
    return point.epoch + 1 if point.epoch is not None else point.batches


def _series(
    name: str,
    colour: str,
    points: Sequence[Point],
    value: Callable[[Point], float | None],
    steps: bool = False,
    star: Callable[[Point], bool] | None = None,
) -> Series:
    known = [(point, found) for point in points if (found := value(point)) is not None]
    best = [index for index, (point, _) in enumerate(known) if star is not None and star(point)]
    xs, ys = [place(point) for point, _ in known], [found for _, found in known]
    return Series(name, colour, xs, ys, best[-1] if best else None, steps)


def errors_of(points: Sequence[Point], target: str, kind: str) -> Callable[[Point], float | None]:
    """The error rate of a target in %, of the learning, validation or test set, as a logarithmic axis can show it."""
    rates = {id(point): getattr(point, kind).get(target) for point in points}
    some = [1 - rate for rate in rates.values() if rate is not None and rate < 1]
    floor = 100 * min(some) / 2 if some else _LEAST_ERROR
    return lambda point: None if (rate := rates[id(point)]) is None else max(100 * (1 - rate), floor)


def error_series(points: Sequence[Point], target: str) -> list[Series]:
    """The error rates of a target on the three sets."""
    return [
        _series(kind, colour, points, errors_of(points, target, kind), star=_is_best if kind == "validation" else None)
        for kind, colour in _SETS
    ]


def loss_series(points: Sequence[Point]) -> list[Series]:
    """The losses on the three sets."""
    return [
        _series("learning", "blue", points, lambda point: point.loss),
        _series("validation", "green", points, lambda point: point.validation_loss),
        _series("test", "orange", points, lambda point: point.test_loss),
    ]


def rate_series(points: Sequence[Point]) -> list[Series]:
    """The learning rate."""
    return [_series("learning rate", "grey", points, lambda point: point.rate, steps=True)]


def targets_of(points: Sequence[Point]) -> list[str]:
    """The targets that score."""
    return list(dict.fromkeys(name for point in points for name in (*point.learning, *point.validation)))


def _is_best(point: Point) -> bool:
    return point.best


def spans(series: Sequence[Series]) -> bool:
    """Whether the values span so much that only a logarithmic axis shows the small ones."""
    values = [value for one in series for value in one.ys]
    return bool(values) and min(values) > 0 and max(values) > 12 * min(values)


def chart_of(title: str, series: Sequence[Series], along: str, axis: Axis) -> Chart | None:
    """A chart of the series that have points; None if there is none."""
    from markupsafe import Markup

    svg = line_chart(series, along, axis)
    keys = [(one.name, one.colour) for one in series if one.xs]
    return Chart(title, keys if len(keys) > 1 else [], Markup(svg)) if svg else None


# --------------------------------------------------------------------------------------------------- tables


def tested_views(facts: Facts) -> list[TestView]:
    """Every test with its confusion."""
    return [TestView(test, page_confusion.view(test)) for test in facts.tests]


def totals(facts: Facts) -> Totals:
    """The sums over the layers."""
    layers = facts.layers
    return Totals(*(sum(getattr(one, name) for one in layers) for name in ("weights", "others", "macs")))


def layer_rows(facts: Facts) -> list[LayerRow]:
    """The layers, each with its shares."""
    sums = totals(facts)
    accumulators: dict[str, int] = {}
    if facts.integers is not None:
        # The row of a cell whose sums another cell rescales is called "conv1 + bn1".
        accumulators = {row.cell.split(" + ")[0]: row.bits for row in facts.integers.rows}
    return [
        LayerRow(
            one, one.weights / max(sums.weights, 1), one.macs / max(sums.macs, 1), accumulators.get(one.name)
        )
        for one in facts.layers
    ]


def columns(facts: Facts) -> list[str]:
    """The stages of which there is a distribution."""
    there = {one.stage for one in facts.distributions}
    words = {START: "weights at the start", LEARNED: "weights", QUANTIZED: "weights on their grid", OUTPUT: "output"}
    return [words[stage] for stage in _COLOURS if stage in there]


def distribution_rows(facts: Facts) -> list[DistributionRow]:
    """A row for each cell of which anything is known."""
    there = {one.stage for one in facts.distributions}
    stages = [stage for stage in _COLOURS if stage in there]
    known = {(one.cell, one.stage): one.histogram for one in facts.distributions}
    rows = []
    for layer in facts.layers:
        found = [known.get((layer.name, stage)) for stage in stages]
        if any(found):
            drawn = [drawn_of(one, _COLOURS[stage]) for one, stage in zip(found, stages, strict=True)]
            rows.append(DistributionRow(layer.name, layer.type, drawn))
    return rows


def distribution_words(facts: Facts) -> str:
    """What the columns are."""
    stages = {one.stage for one in facts.distributions}
    words = "Each histogram has its own scale; below it the smallest and the largest value, mean and standard deviation"
    if QUANTIZED in stages:
        words += ", or how many levels are used. What is quantized has a bar a level"
    return words + (". Outputs are those of a few stimuli." if OUTPUT in stages else ".")


def drawn_of(histogram: Histogram | None, colour: str) -> Drawn | None:
    """A histogram and the words below it."""
    from markupsafe import Markup

    if histogram is None:
        return None
    ends = f"{histogram.low:.3g} .. {histogram.high:.3g}"
    words = f"{histogram.mean:.2g} ± {histogram.deviation:.2g}"
    if histogram.levels:
        words = f"{histogram.used} of {histogram.levels} levels"
    return Drawn(Markup(small_histogram(histogram, colour)), ends, words)
