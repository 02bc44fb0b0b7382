"""TargetBias: the output that a target wants gets a head start while learning."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.cells.base import Cell
from n2d2py.kinds import real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "TargetBias")
@dataclass(frozen=True, kw_only=True)
class TargetBias(Cell):
    """While learning y = x + Bias on the channel of the label where x > -Bias, else y = x; y = x in test.

    The gradient is that of y = x.
    """

    bias: float = parameter("Bias", real, REQUIRED, "added to the channel of the label; below 0: a margin to learn")
