"""Softmax over the channels of each position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cell, Cost, Dims
from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, unsigned
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("cell", "Softmax")
@dataclass(frozen=True, kw_only=True)
class Softmax(Cell):
    """y[c] = exp(x[c]) / sum of exp(x), over all channels or over groups of them."""

    with_loss: bool = parameter("WithLoss", boolean, False, "1: the target's error passes unchanged (cross-entropy)")
    group_size: int = parameter("GroupSize", unsigned, 0, "channels of a group; 0: all")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        if len(inputs) != 1:
            raise GraphError(f"Softmax cell {self.name} has {len(inputs)} inputs", place=self.place(), expected="one")
        dims = super().outputs(inputs)
        if self.group_size and dims.channels % self.group_size:
            raise GraphError(
                f"Softmax cell {self.name}: groups of {self.group_size} do not divide {dims.channels} channels",
                place=self.place("group_size"),
            )
        return dims

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        return Cost(neurons=output.size, nodes=output.size)
