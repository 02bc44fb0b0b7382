"""Scaling: the input times a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.errors import GraphError
from n2d2py.kinds import list_of, real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Scaling")
@dataclass(frozen=True, kw_only=True)
class Scaling(ActivatedCell):
    """y = Factor * x, with one factor for all channels or one for each."""

    factor: tuple[float, ...] = parameter("Factor", list_of(real), REQUIRED, "factor of all channels, or of each")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = super().outputs(inputs)
        if len(self.factor) not in (1, dims.channels):
            raise GraphError(
                f"Scaling cell {self.name} has {len(self.factor)} factors",
                place=self.place("factor"),
                expected=f"one, or {dims.channels}: one for each channel",
            )
        return dims
