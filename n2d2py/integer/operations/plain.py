"""Operations that move codes, rectify them, or take them out of the integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.integer.operations.base import Operation


@dataclass(frozen=True, eq=False)
class Concatenation(Operation):
    """Inputs of one scale, one after the other along the channels, each flattened before if ``flat``.

    An input of one place beside larger ones stands at every place.
    """

    flat: bool = False

    def words(self) -> str:
        flat = ", each flattened first: x + width * (y + height * c)" if self.flat else ""
        repeated = "" if self.flat else "; an input of one place stands at every place"
        return f"the inputs one after the other along the channels{flat}{repeated}"


@dataclass(frozen=True, eq=False)
class Rectification(Operation):
    """Negative codes become 0."""

    def words(self) -> str:
        return "the larger of the input and 0"


@dataclass(frozen=True, eq=False)
class Identity(Operation):
    """The codes as they are."""

    def words(self) -> str:
        return "the input"


@dataclass(frozen=True, eq=False)
class Softmax(Operation):
    """A float island: probabilities of the real logits ``code * scale``, float64."""

    scale: float
    group_size: int = 0

    def words(self) -> str:
        over = f"each {self.group_size} neighbouring" if self.group_size else "the"
        return (
            f"exp(v) / sum of exp(v) over {over} channels, v = input * {self.scale!r}, in real numbers "
            "(no integers here)"
        )

    def detail(self) -> str:
        return "real numbers" + (f", groups of {self.group_size}" if self.group_size else "")


@dataclass(frozen=True, eq=False)
class Lookup(Operation):
    """The codes of the stimuli from bytes of a camera: ``table`` int64, a row of 256 codes a channel, or one for all.

    It stands before the first operation: normalising by mean and deviation, say, costs nothing more than a load.
    """

    table: np.ndarray

    def codes(self, pixels: np.ndarray) -> np.ndarray:
        """int64 codes of uint8 pixels (batch, channels, [depth,] height, width)."""
        rows = np.broadcast_to(self.table, (pixels.shape[1], 256))
        channels = np.arange(pixels.shape[1]).reshape(1, -1, *[1] * (pixels.ndim - 2))
        codes: np.ndarray = rows[channels, pixels]
        return codes

    def words(self) -> str:
        return "table[c][byte], c = the channel, or 0 if the table has one row"

    def detail(self) -> str:
        return f"{'x'.join(map(str, self.table.shape))} table"

    def record(self) -> dict[str, Any]:
        return {"table": self.table.tolist()}
