"""Dropout: each value is dropped with a probability while learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cell, Cost, Dims
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("cell", "Dropout")
@dataclass(frozen=True, kw_only=True)
class Dropout(Cell):
    """While learning y = 0 with probability Dropout, else x / (1 - Dropout); y = x in test (Srivastava et al. 2014)."""

    dropout: float = parameter("Dropout", real_between(0, 1, high_open=True), 0.5, "probability of dropping")

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        return Cost(neurons=output.size, nodes=output.size)

    @property
    def selects(self) -> bool:
        return True
