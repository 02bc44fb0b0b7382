"""Facts of a made-up run with hostile names, and a reader of pages that knows HTML's rules of nesting."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator
from pathlib import Path

from n2d2py.report.page_facts import (
    FINISHED,
    LEARNED,
    OUTPUT,
    QUANTIZED,
    START,
    Command,
    Compared,
    Distribution,
    Equality,
    Facts,
    Integers,
    Layer,
    Learning,
    Point,
    Sum,
    Test,
)
from n2d2py.report.page_histograms import Histogram

HOSTILE = '</script><b onload="x">&amp;\'"<i>'
"""What a cell may be called."""

VOID = {"meta", "link", "img", "br"}
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><text>a</text></svg>"


def point(epoch: int, **changes: object) -> Point:
    rate = 1 - 0.5 / (epoch + 1)
    values: dict[str, object] = {
        "epoch": epoch, "batches": 10 * (epoch + 1), "stimuli": 640 * (epoch + 1), "seconds": 2.0 * (epoch + 1),
        "rate": 0.05 / (epoch + 1), "loss": 2.0 / (epoch + 1), "validation_loss": None, "test_loss": None,
        "learning": {"t": rate}, "validation": {"t": rate - 0.01}, "test": {}, "score": rate - 0.01, "best": True,
    }  # fmt: skip
    return Point(**{**values, **changes})  # type: ignore[arg-type]


def layer(name: str, **changes: object) -> Layer:
    values: dict[str, object] = {
        "name": name, "type": "Conv", "output": "6x28x28", "weights": 150, "others": 6, "macs": 117600,
        "weight_bits": 4, "output_bits": 32, "weight_scale": 0.0625, "output_scale": None,
    }  # fmt: skip
    return Layer(**{**values, **changes})  # type: ignore[arg-type]


def histogram(levels: int = 0) -> Histogram:
    counts = [1, 4, 9, 4, 0, 1] if not levels else [index % 5 for index in range(levels)]
    return Histogram(-1.0, 1.0, counts, 0.01, 0.3, 0.1, levels, sum(count > 0 for count in counts))


def confusion(classes: int, name: str = "learned network") -> Test:
    right = [[index, index, 20 + index] for index in range(classes)]
    wrong = [[index, (index * 7 + 1) % classes, 1 + index % 3] for index in range(classes) if (index * 6 + 1) % classes]
    rate = sum(row[2] for row in right) / sum(row[2] for row in right + wrong)
    names = [f"class {index}" for index in range(classes)]
    return Test(name, "t", "Test", 500, rate, 1, rate, classes, names, sorted(right + wrong))


def facts(epochs: int = 8, cells: int = 3, classes: int = 10) -> Facts:
    names = [HOSTILE, *(f"conv{index}" for index in range(1, cells))]
    stages = ((START, 0), (LEARNED, 0), (QUANTIZED, 16), (OUTPUT, 0))
    return Facts(
        title=f"{HOSTILE}.ini",
        caption="3 cells",
        commands=[Command(f"n2d2py {HOSTILE}", 1, "CPU", {"torch": "2"}, {"Learn": 640, "Test": 500}, FINISHED, 75.0)],
        layers=[layer(name) for name in names],
        learning=Learning(epochs, 0, "Sensitivity", [point(epoch) for epoch in range(epochs)]),
        tests=[confusion(classes), confusion(classes, "integer network")],
        distributions=[Distribution(name, stage, histogram(levels)) for name in names for stage, levels in stages],
        integers=Integers("Floating-point", True, "every one proved exact", [
            Sum(f"{HOSTILE} + bn", "4 bits", "4 bits", -(1 << 60), 1 << 60, 62, "20 bits", "33", "multiplier", "exact"),
        ]),
        equalities=[Equality("The learned network and the integer network", 500, ["interpreter", "float forward"], [
            Compared(HOSTILE, 39200, {"interpreter": 0, "float forward": 2}),
        ], 500, {"interpreter": 0, "float forward": 1}, {"C": f"no compiler {HOSTILE}"}, "float forward")],
    )  # fmt: skip


class Page(html.parser.HTMLParser):
    """A page that was read: its elements, its text, and what it would load; elements must nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "an element is not closed"

    @classmethod
    def of(cls, path: Path) -> Page:
        return cls(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def loaded(self) -> Iterator[str]:
        """The places of everything that a browser would fetch for the page."""
        for tag, attributes in self.tags:
            if tag in ("img", "script", "iframe", "source") and attributes.get("src"):
                yield str(attributes["src"])
            if tag == "link":
                yield str(attributes["href"])
