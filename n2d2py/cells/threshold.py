"""Threshold: what lies above a value and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.kinds import one_of, real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Threshold")
@dataclass(frozen=True, kw_only=True)
class Threshold(ActivatedCell):
    """With T the threshold and M = MaxValue; a value of exactly T does not lie above it::

                         x > T    x <= T
        Binary             M        0
        BinaryInverted     0        M
        Truncate           T        x
        ToZero             x        0
        ToZeroInverted     0        x
    """

    threshold: float = parameter("Threshold", real, REQUIRED, "the value")
    operation: str = parameter(
        "Operation",
        one_of("Binary", "BinaryInverted", "Truncate", "ToZero", "ToZeroInverted"),
        "Binary",
        "what becomes of values on either side",
    )
    max_value: float = parameter("MaxValue", real, 1.0, "what Binary and BinaryInverted give")

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.operation} at {self.threshold:g}")
        return lines
