"""What was taken for what, as ``report.html`` shows it: a table while it can be read, a picture beyond."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from n2d2py.learn.metrics import Confusion
from n2d2py.report.confusion import class_names, row_shares
from n2d2py.report.page_facts import Test

MOST_CLASSES = 32
"""Classes up to which there is a table of all pairs."""

_MOST_ROWS = 20
_MOST_PAIRS = 10
_MOST_PIXELS = 500


@dataclass(frozen=True)
class Cell:
    """A pair of the table: how many, as a share of the row, and whether it is right."""

    count: int
    share: float
    right: bool
    words: str

    @property
    def tint(self) -> float:
        """How strongly a mistake is coloured: few of many must be seen too."""
        return 0.75 * math.sqrt(self.share)


@dataclass(frozen=True)
class Pair:
    """A confusion: target and estimate by name, how often, as a share of the target's stimuli in %."""

    target: str
    estimated: str
    count: int
    share: float


@dataclass(frozen=True)
class Class:
    """A class with its metrics, in %."""

    name: str
    count: int
    sensitivity: float
    precision: float
    f1: float


@dataclass(frozen=True)
class View:
    """Either the cells of all pairs or a picture of them (a data URI), the most frequent mistakes, the classes."""

    names: list[str]
    cells: list[list[Cell]]
    picture: str
    pairs: list[Pair]
    classes: list[Class]
    classes_left_out: int
    right: int
    total: int


def matrix_of(test: Test) -> Confusion:
    """The confusion matrix of a test."""
    matrix = np.zeros((test.classes, test.classes), np.int64)
    for target, estimated, count in test.confusion:
        matrix[target, estimated] = count
    return Confusion(matrix, test.has_none)


def view(test: Test) -> View:
    """What is shown of a test; of more than :data:`MOST_CLASSES` classes the worst ones only."""
    confusion = matrix_of(test)
    matrix, few = confusion.matrix, test.classes <= MOST_CLASSES
    names = class_names(test.names, test.classes, test.has_none)
    shares = row_shares(matrix)
    return View(
        names=names,
        cells=_cells(matrix, shares, names) if few else [],
        picture="" if few else _picture(shares),
        pairs=_pairs(matrix, shares, names),
        classes=_classes(confusion, names, few),
        classes_left_out=0 if few else max(0, int(confusion.relevant.sum()) - _MOST_ROWS),
        right=int(np.trace(matrix)),
        total=confusion.total,
    )


def _cells(matrix: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> list[list[Cell]]:
    return [
        [
            Cell(
                int(matrix[target, estimated]),
                float(shares[target, estimated]),
                target == estimated,
                f"{matrix[target, estimated]} of {name} taken for {names[estimated]} "
                f"({100 * shares[target, estimated]:.2f} %)",
            )
            for estimated in range(len(names))
        ]
        for target, name in enumerate(names)
    ]


def _pairs(matrix: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> list[Pair]:
    wrong = matrix * ~np.eye(len(matrix), dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_PAIRS]
    places = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        Pair(names[target], names[estimated], int(wrong[target, estimated]), float(100 * shares[target, estimated]))
        for target, estimated in places
        if wrong[target, estimated]
    ]


def _classes(confusion: Confusion, names: Sequence[str], all_of_them: bool) -> list[Class]:
    """All classes that occur in their order, or the worst of them."""
    columns = [100 * confusion.metric(name) for name in ("Sensitivity", "Precision", "F1Score")]
    counts = confusion.matrix.sum(axis=1)
    order = np.flatnonzero(confusion.relevant)
    if not all_of_them:
        order = order[np.argsort(columns[0][order], kind="stable")][:_MOST_ROWS]
    return [
        Class(names[index], int(counts[index]), *(float(column[index]) for column in columns))
        for index in order.tolist()
    ]


def _picture(shares: np.ndarray) -> str:
    """Errors in orange and what is right in blue, as dense as their shares, on nothing: right in light and dark."""
    from PIL import Image

    size = len(shares)
    factor = -(-size // _MOST_PIXELS)
    if factor > 1:  # the largest share of a block: single confusions must not fade
        padded = np.pad(shares, (0, -size % factor))
        shares = padded.reshape(len(padded) // factor, factor, len(padded) // factor, factor).max((1, 3))
    pixels = np.zeros((*shares.shape, 4), np.uint8)
    pixels[..., :3] = (213, 94, 0)
    pixels[np.eye(len(shares), dtype=bool), :3] = (0, 114, 178)
    pixels[..., 3] = np.where(shares > 0, 40 + 215 * np.sqrt(shares), 0).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
