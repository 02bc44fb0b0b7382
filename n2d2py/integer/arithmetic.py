"""Operations on codes place by place: sums of several scales, maxima, products, clamps, comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.integer.operations import Edge, Operation


@dataclass(frozen=True, eq=False)
class Alignment(Operation):
    """A linear function of one or several codes on a new grid: wide codes (:mod:`~n2d2py.quant.affine`).

    ``multipliers`` (one array an input) and ``biases`` are int64 and broadcast with (channels, [depth,] height, width).
    """

    multipliers: tuple[np.ndarray, ...]
    biases: np.ndarray
    pre_shifts: tuple[int, ...]
    shift: int

    def words(self) -> str:
        return (
            f"(sum over inputs k of round_shift(input[k], pre_shifts[k]) * multipliers[k] + biases) >> {self.shift}, "
            "round_shift(v, p) = (v + (1 << p >> 1)) >> p; >> rounds toward minus infinity; 64-bit integers; "
            "an input of one place serves all places"
        )

    def sums(self, sources: list[Edge]) -> tuple[int, int]:
        """The smallest and the largest sum before the shift that inputs on ``sources`` can reach, exactly."""
        low = high = self.biases
        for edge, multipliers, bits in zip(sources, self.multipliers, self.pre_shifts, strict=True):
            ends = []
            for end in (edge.low, edge.high):
                short = (end + (1 << bits >> 1)) >> bits
                ends.append(short.reshape(-1, *[1] * (max(multipliers.ndim, 1) - 1)) * multipliers)
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        return int(np.min(low)), int(np.max(high))

    def detail(self) -> str:
        largest = max((int(np.abs(array).max(initial=0)) for array in self.multipliers), default=0)
        short = f", inputs >> {' '.join(map(str, self.pre_shifts))}" if any(self.pre_shifts) else ""
        return f"{largest.bit_length() + 1} bit multiplier, shift {self.shift}{short}"

    def record(self) -> dict[str, Any]:
        return {
            "multipliers": [array.tolist() for array in self.multipliers],
            "biases": self.biases.tolist(),
            "pre_shifts": list(self.pre_shifts),
            "shift": self.shift,
        }


@dataclass(frozen=True, eq=False)
class Maximum(Operation):
    """The largest of several codes of one scale."""

    def words(self) -> str:
        return "the largest input, place by place; an input of one place serves all places"


@dataclass(frozen=True, eq=False)
class Product(Operation):
    """The product of codes; the scales multiply too."""

    def words(self) -> str:
        return "the product of the inputs, place by place; an input of one place serves all places"


@dataclass(frozen=True, eq=False)
class Absolute(Operation):
    """Codes without their sign."""

    def words(self) -> str:
        return "the absolute value of the input"


@dataclass(frozen=True, eq=False)
class Pieces(Operation):
    """A slope below 0 and bounds: leaky and clipped rectifiers, saturation."""

    slope: int
    shift: int
    low: int | None
    high: int | None

    def words(self) -> str:
        return (
            f"input << {self.shift} where input > 0, input * {self.slope} elsewhere; then at least low and at most "
            "high where these are given"
        )

    def detail(self) -> str:
        bounds = f"{'' if self.low is None else self.low}..{'' if self.high is None else self.high}"
        return (f"slope {self.slope} / 2^{self.shift}" if self.shift or self.slope != 1 else "") + (
            f" clamped to {bounds}" if bounds != ".." else ""
        )

    def record(self) -> dict[str, Any]:
        return {"slope": self.slope, "shift": self.shift, "low": self.low, "high": self.high}


@dataclass(frozen=True, eq=False)
class Comparison(Operation):
    """Threshold: ``kept`` says what stays of codes on each side of ``first``, the smallest code above it.

    ``operation`` is Binary, BinaryInverted, ToZero or ToZeroInverted; ``code`` is what Binary gives.
    """

    operation: str
    first: int
    code: int

    def words(self) -> str:
        chosen = {
            "Binary": (f"{self.code}", "0"),
            "BinaryInverted": ("0", f"{self.code}"),
            "ToZero": ("input", "0"),
            "ToZeroInverted": ("0", "input"),
        }[self.operation]
        return f"{chosen[0]} where input >= {self.first}, {chosen[1]} elsewhere"

    def detail(self) -> str:
        return f"{self.operation} at {self.first}"

    def record(self) -> dict[str, Any]:
        return {"operation": self.operation, "first": self.first, "code": self.code}


@dataclass(frozen=True, eq=False)
class FloatBits(Operation):
    """Real numbers (float32) as integers in the same order: where codes begin again behind a float island."""

    def words(self) -> str:
        return (
            "b = the 32 bits of the float32 input read as a two's complement integer; b where b >= 0, else "
            "b ^ 0x7fffffff"
        )
