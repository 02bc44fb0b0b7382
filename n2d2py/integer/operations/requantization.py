"""The operation that makes codes of accumulators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.integer.operations.base import Operation
from n2d2py.integer.proof import Proof
from n2d2py.integer.requantization import IntegerBias, Rescaling


@dataclass(frozen=True, eq=False)
class Requantization(Operation):
    """Accumulators to activation codes, with the proof that they are the learned ones.

    The rescaling numbers the levels of the output's grid from 0; the code is ``low + number * step``, or
    ``levels[number]`` where levels are given. Codes 0..R are their own numbers.
    """

    rescaling: Rescaling
    proof: Proof
    mode: str = "Floating-point"
    low: int = 0
    step: int = 1
    levels: tuple[int, ...] = ()
    line: IntegerBias | None = None
    """What the step function is where it has an integer bias (``QAct.IntegerBias``)."""
    straight: bool = False
    """Whether it could have one: codes go in, and all before the quantizer is made of straight lines."""

    @property
    def renumbers(self) -> bool:
        """Whether codes are not the numbers of their levels."""
        return bool(self.levels) or (self.low, self.step) != (0, 1)

    def codes(self, accumulators: np.ndarray, axis: int = 0) -> np.ndarray:
        """Codes int64 of accumulators int64; ``axis`` is that of the channels."""
        numbers = self.rescaling.codes(accumulators, axis)
        if self.levels:
            return np.array(self.levels, dtype=np.int64)[numbers]
        return numbers * self.step + self.low if self.renumbers else numbers

    def words(self) -> str:
        name = "number" if self.renumbers else "code"
        text = (
            f"{name} = clamp((input * multiplier[c] + bias[c]) >> {self.rescaling.shift}, 0, "
            f"{self.rescaling.highest}), 64-bit integers, >> rounds toward minus infinity"
        )
        if self.rescaling.tables:
            text += f"; in a channel with thresholds: {name} = number of thresholds <= sign * input"
        if self.levels:
            text += "; code = levels[number]"
        elif self.renumbers:
            text += f"; code = {self.low} + number * {self.step}"
        return text

    def detail(self) -> str:
        bits, rescaling = self.rescaling.multiplier_bits, self.rescaling
        to = f"0..{rescaling.highest}"
        if self.renumbers:
            codes = self.levels or (self.low, self.low + self.step, self.low + self.step * rescaling.highest)
            to = f"{rescaling.highest + 1} levels {codes[0]},{codes[1]}..{codes[-1]}"
        return f"to {to}, {bits} bit multiplier, shift {rescaling.shift}, {self.proof}"
