"""Operations that move, select or repeat codes, and two that need to know places: interpolation and unpooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.integer.operations import Operation, Pair


@dataclass(frozen=True, eq=False)
class Pad(Operation):
    """Zeros around the codes; below 0 a side is cropped."""

    left: int
    right: int
    top: int
    bottom: int

    def words(self) -> str:
        return "code 0 around the input: left and right columns, top and bottom rows; below 0 the input loses them"

    def detail(self) -> str:
        return f"left {self.left}, right {self.right}, top {self.top}, bottom {self.bottom}"

    def record(self) -> dict[str, Any]:
        return {"left": self.left, "right": self.right, "top": self.top, "bottom": self.bottom}


@dataclass(frozen=True, eq=False)
class Nearest(Operation):
    """One input row and column for each output row and column (int64)."""

    rows: np.ndarray
    columns: np.ndarray

    def words(self) -> str:
        return "input[c][rows[y]][columns[x]]"

    def record(self) -> dict[str, Any]:
        return {"rows": self.rows.tolist(), "columns": self.columns.tolist()}


@dataclass(frozen=True, eq=False)
class Axis:
    """For each output along an axis two input places and the share of the second one, in units of 2^-bits."""

    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    bits: int

    def record(self) -> dict[str, Any]:
        """The axis as plain data."""
        lists = {"low": self.low.tolist(), "high": self.high.tolist(), "share": self.share.tolist()}
        return lists | {"bits": self.bits}


@dataclass(frozen=True, eq=False)
class Interpolation(Operation):
    """Linear interpolation along both axes, with integer shares."""

    rows: Axis
    columns: Axis

    def words(self) -> str:
        return (
            "along x, then along y: input[low[i]] * ((1 << bits) - share[i]) + input[high[i]] * share[i], exact "
            "(the scale of the output holds the division by 2^bits of both axes)"
        )

    def detail(self) -> str:
        return f"shares of {self.columns.bits} and {self.rows.bits} bits"

    def record(self) -> dict[str, Any]:
        return {"rows": self.rows.record(), "columns": self.columns.record()}


@dataclass(frozen=True, eq=False)
class Reshaping(Operation):
    """The same codes in the same order (x fastest, channels slowest) in other dimensions."""

    def words(self) -> str:
        return "the codes of the input in their order, in the dimensions of the output"


@dataclass(frozen=True, eq=False)
class Transposition(Operation):
    """``axes``: for each axis of (batch, channels, [depth,] height, width) the input axis that it shows."""

    axes: tuple[int, ...]

    def words(self) -> str:
        return "axis i of the output is axis axes[i] of the input, counted in (batch, channels, height, width)"

    def detail(self) -> str:
        return " ".join(map(str, self.axes))

    def record(self) -> dict[str, Any]:
        return {"axes": list(self.axes)}


@dataclass(frozen=True, eq=False)
class Unpooling(Operation):
    """Codes go where the maxima of a MaxPool stood; the second input is that pool's input.

    ``pool``, ``stride`` and ``padding`` are the pool's, x first.
    """

    pool: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def words(self) -> str:
        return (
            "0, but for each window of the second input (in reading order) input[0] of the window at the place of the "
            "window's first largest code; of several for one place the last counts; places outside are dropped"
        )

    def record(self) -> dict[str, Any]:
        return {"pool": list(self.pool), "stride": list(self.stride), "padding": list(self.padding)}


@dataclass(frozen=True, eq=False)
class RegionMaximum(Operation):
    """Fractional max-pooling at rest: the largest code of each region, regions given as (first, end) per axis."""

    rows: tuple[Pair, ...]
    columns: tuple[Pair, ...]

    def words(self) -> str:
        return "largest input[c][v][u] with rows[y][0] <= v < rows[y][1] and columns[x][0] <= u < columns[x][1]"

    def record(self) -> dict[str, Any]:
        return {"rows": [list(pair) for pair in self.rows], "columns": [list(pair) for pair in self.columns]}
