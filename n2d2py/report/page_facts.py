"""What ``report.html`` tells of a run: plain records, which the page carries as JSON beside what it shows.

So a later run in the same folder (a test, a fusion) adds to the page, a recipe sets the pages of its stages beside
each other, and a program can read the numbers: ``page_html.read``.
"""

from __future__ import annotations

import json
import types
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from n2d2py.report.page_histograms import Histogram

FORMAT = 1
RUNNING, FINISHED, INTERRUPTED, FAILED = "running", "finished", "interrupted", "failed"
START, LEARNED, QUANTIZED, OUTPUT = "at the start", "learned", "quantized", "output"
"""What the distributions of a layer are of: three stages of its weights, and what it gives."""

_T = TypeVar("_T")


@dataclass
class Command:
    """One run in the folder: its command line, what it ran with, for how long (s), and how it ended."""

    words: str
    seed: int
    device: str
    versions: dict[str, str]
    stimuli: dict[str, int]
    state: str = RUNNING
    seconds: float = 0.0
    problem: str = ""
    """Why it failed."""


@dataclass(frozen=True)
class Layer:
    """A cell and its cost for one stimulus; scales are None where there is no grid (yet)."""

    name: str
    type: str
    output: str
    weights: int
    others: int
    macs: int
    weight_bits: int | None
    output_bits: int
    weight_scale: float | None = None
    output_scale: float | None = None


@dataclass(frozen=True)
class Point:
    """A log of learning. Rates by target are ratios; ``rate`` is the learning rate, ``seconds`` since the start."""

    epoch: int | None
    batches: int
    stimuli: int
    seconds: float
    rate: float
    loss: float | None
    validation_loss: float | None
    test_loss: float | None
    learning: dict[str, float]
    validation: dict[str, float]
    test: dict[str, float]
    score: float | None
    best: bool


@dataclass
class Learning:
    """The course of learning: how much was planned (epochs, or stimuli if 0), the metric that chooses, the logs."""

    epochs: int = 0
    stimuli: int = 0
    metric: str = ""
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True)
class Distribution:
    """How the values of a cell are spread at one stage: its weights, or what it gives."""

    cell: str
    stage: str
    histogram: Histogram


@dataclass(frozen=True)
class Test:
    """A test: of what, on which set; the confusion as [target, estimate, count] where the count is not 0."""

    __test__ = False  # no test for pytest

    what: str
    target: str
    set: str
    stimuli: int
    rate: float
    top_n: int
    top_rate: float
    classes: int
    names: list[str]
    confusion: list[list[int]]
    has_none: bool = False
    loss: float | None = None


@dataclass(frozen=True)
class Sum:
    """The accumulators of a cell of the integer network, the rescaling that takes them, and its proof."""

    cell: str
    weights: str
    output: str
    low: int
    high: int
    bits: int
    multiplier: str
    shift: str
    form: str
    proof: str


@dataclass(frozen=True)
class Integers:
    """The integer network: its rows, and the sentence about all proofs."""

    mode: str
    exact: bool
    verdict: str
    rows: list[Sum]


@dataclass(frozen=True)
class Compared:
    """A cell: its codes, and by executor how many differ (an executor that does not store it is absent)."""

    cell: str
    codes: int
    differing: dict[str, int]


@dataclass(frozen=True)
class Equality:
    """The learned network beside executors, code by code; ``floats`` names one that need not be equal."""

    title: str
    stimuli: int
    executors: list[str]
    rows: list[Compared]
    labels: int
    differing_labels: dict[str, int]
    absent: dict[str, str] = field(default_factory=dict)
    floats: str = ""

    @property
    def codes(self) -> int:
        """All codes that were compared."""
        return sum(row.codes for row in self.rows)

    @property
    def differing(self) -> int:
        """Codes and labels that differ in an executor that must be equal."""
        named = [name for name in self.executors if name != self.floats]
        codes = sum(row.differing.get(name, 0) for row in self.rows for name in named)
        return codes + sum(self.differing_labels.get(name, 0) for name in named)


@dataclass
class Facts:
    """All that the page of a folder shows, but for the drawings of the network."""

    title: str = ""
    caption: str = ""
    commands: list[Command] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    learning: Learning = field(default_factory=Learning)
    tests: list[Test] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    integers: Integers | None = None
    equalities: list[Equality] = field(default_factory=list)

    def of(self, cell: str, stage: str) -> Histogram | None:
        """The distribution of a cell at a stage."""
        found = (one.histogram for one in self.distributions if (one.cell, one.stage) == (cell, stage))
        return next(found, None)


def to_json(facts: Facts) -> str:
    """The facts as JSON that may stand in a page: no sign of it ends the element that it stands in."""
    text = json.dumps({"format": FORMAT, **asdict(facts)}, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def from_json(text: str) -> Facts | None:
    """The facts of such a text; None for any other."""
    try:
        content = json.loads(text)
        if content.pop("format") != FORMAT:
            return None
        return decoded(Facts, content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def decoded(kind: type[_T], value: Any) -> _T:
    """A record of type ``kind`` from plain values; raises TypeError or KeyError where they do not fit."""
    found: _T = _decoded(kind, value)
    return found


def _decoded(kind: Any, value: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _decoded(next(one for one in inner if one is not type(None)), value)
    if origin in (list, tuple):
        items = [_decoded(inner[0], one) for one in value]
        return items if origin is list else tuple(items)
    if origin is dict:
        return {str(key): _decoded(inner[1], one) for key, one in value.items()}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{one.name: _decoded(hints[one.name], value[one.name]) for one in fields(kind)})  # type: ignore[operator]
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind}")
    return value
