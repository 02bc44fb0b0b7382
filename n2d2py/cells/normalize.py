"""Normalize: the channels of each pixel as a vector of length 1."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.cells.base import Cell
from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Normalize")
@dataclass(frozen=True, kw_only=True)
class Normalize(Cell):
    """y[c] = x[c] / sqrt(sum over the channels of x^2 + 1e-6), at each place."""

    norm: str = parameter("Norm", one_of("L1", "L2"), REQUIRED, "the norm that becomes 1; L1 is known and refused")

    def __post_init__(self) -> None:
        if self.norm == "L1":
            raise ParameterError("Norm=L1 is not supported, as in N2D2", place=self.place("norm"), expected="Norm=L2")
