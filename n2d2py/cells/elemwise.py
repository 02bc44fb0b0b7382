"""ElemWise: one operation on the values at the same place of all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.errors import GraphError
from n2d2py.kinds import list_of, one_of, real
from n2d2py.parameters import parameter
from n2d2py.registry import register

_USES_WEIGHTS = ("Sum", "AbsSum", "EuclideanSum")
_USES_SHIFTS = ("Sum", "EuclideanSum")


@register("cell", "ElemWise")
@dataclass(frozen=True, kw_only=True)
class ElemWise(ActivatedCell):
    """With x_k the k-th input, w its weight and s its shift::

        Sum           sum of w x_k + s                   Prod   product of x_k
        AbsSum        sum of w |x_k|                     Max    largest x_k
        EuclideanSum  sqrt(sum of (w x_k)^2 + s^2)

    Weights and shifts are listed by input (PerInput and PerLayer, which mean the same) or by channel, the same for
    all inputs (PerChannel). What the list leaves out is 1 and 0: one weight alone is that of the first input.
    """

    operation: str = parameter(
        "Operation", one_of("Sum", "AbsSum", "EuclideanSum", "Prod", "Max"), "Sum", "what is done with the values"
    )
    coeff_mode: str = parameter(
        "CoeffMode", one_of("PerLayer", "PerInput", "PerChannel"), "PerInput", "what a weight and a shift belong to"
    )
    weights: tuple[float, ...] = parameter("Weights", list_of(real), (), "factors of the inputs; 1 where none is given")
    shifts: tuple[float, ...] = parameter("Shifts", list_of(real), (), "added to the inputs; 0 where none is given")

    @property
    def selects(self) -> bool:
        return self.operation == "Max"

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        spaces = [(dims.width, dims.height, dims.depth) for dims in inputs]
        largest = max(spaces)
        for name, dims, space in zip(self.inputs, inputs, spaces, strict=True):
            if space not in (largest, (1, 1, 1)):
                raise GraphError(
                    f"inputs of ElemWise cell {self.name} differ in size: {name} is {'x'.join(map(str, dims.shape))}",
                    place=self.place(),
                    expected="inputs of one size, or of 1x1, which is the same at every place",
                )
            self.check_outputs(dims.channels)
        self._check_coefficients(len(inputs))
        return Dims(largest[0], largest[1], self.nb_outputs, largest[2])

    def _check_coefficients(self, inputs: int) -> None:
        by_channel = self.coeff_mode == "PerChannel"
        most = self.nb_outputs if by_channel else inputs
        for field, key, users in (("weights", "Weights", _USES_WEIGHTS), ("shifts", "Shifts", _USES_SHIFTS)):
            values = getattr(self, field)
            if values and self.operation not in users:
                raise GraphError(
                    f"{key} of ElemWise cell {self.name} have no effect with Operation={self.operation}",
                    place=self.place(field),
                    expected=f"{key} with Operation={' or '.join(users)}",
                    remedy=f"remove {key}",
                )
            if len(values) > most:
                raise GraphError(
                    f"ElemWise cell {self.name} has {len(values)} values in {key}",
                    place=self.place(field),
                    expected=f"at most {most}, one for each {'channel' if by_channel else 'input'}",
                )

    def coefficients(self, field: str, inputs: int) -> tuple[float, ...]:
        """``weights`` or ``shifts``, one for each input or channel; what the file leaves out is 1 or 0."""
        given: tuple[float, ...] = getattr(self, field)
        count = self.nb_outputs if self.coeff_mode == "PerChannel" else inputs
        return given + ((1.0 if field == "weights" else 0.0),) * (count - len(given))

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, self.operation)
        return lines
