"""Softmax over the channels of each position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Cost, Dims, alone
from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, unsigned
from n2d2py.parameters import parameter
from n2d2py.parts.targets import Target
from n2d2py.registry import register


@register("cell", "Softmax")
@dataclass(frozen=True, kw_only=True)
class Softmax(ActivatedCell):
    """y[c] = exp(x[c]) / sum of exp(x), over all channels or over groups of them."""

    with_loss: bool = parameter("WithLoss", boolean, False, "1: the target's error passes unchanged (cross-entropy)")
    group_size: int = parameter("GroupSize", unsigned, 0, "channels of a group; 0: all")

    @property
    def is_loss(self) -> bool:
        return self.with_loss

    def doubts(self, target: Target) -> list[str]:
        found = super().doubts(target)
        if (target.target_value, target.default_value) != (1.0, 0.0):
            wanted = f"{target.target_value:g} and {target.default_value:g}"
            on = f"target {target.name} of the Softmax {self.name}"
            found.append(f"{on} wants {wanted}; a Softmax gives values between 0 and 1")
        return found

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        alone(self, inputs)
        dims = super().outputs(inputs)
        if self.group_size and dims.channels % self.group_size:
            raise GraphError(
                f"Softmax cell {self.name}: groups of {self.group_size} do not divide {dims.channels} channels",
                place=self.place("group_size"),
            )
        return dims

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        return Cost(neurons=output.size, nodes=output.size)
