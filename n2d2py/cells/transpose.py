"""Transpose: the axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims, alone
from n2d2py.errors import GraphError
from n2d2py.kinds import list_of, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Transpose")
@dataclass(frozen=True, kw_only=True)
class Transpose(ActivatedCell):
    """Axis i of the output is axis Perm[i] of the input, of the axes X Y channels batch; the batch stays last.

    Inputs with a depth have the axes X Y Z channels batch.
    """

    perm: tuple[int, ...] = parameter("Perm", list_of(unsigned), REQUIRED, "for each axis that of the input; 0 is X")

    @property
    def selects(self) -> bool:
        return True

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = alone(self, inputs)
        axes = len(dims.shape) + 1
        if sorted(self.perm) != list(range(axes)) or self.perm[-1] != axes - 1:
            raise GraphError(
                f"Transpose cell {self.name} has Perm={' '.join(map(str, self.perm))}",
                place=self.place("perm"),
                expected=f"each of 0 .. {axes - 1} once, and {axes - 1} (the batch) at the end",
            )
        given = tuple(reversed(dims.shape))
        sizes = [given[axis] for axis in self.perm[:-1]]
        result = Dims(sizes[0], sizes[1], sizes[-1], sizes[2] if len(sizes) == 4 else 1)
        self.check_outputs(result.channels)
        return result
