"""Where an emitter works: one operation, the tensors that come in, and the rescaling that it may do on the way."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.errors import IntegerError
from n2d2py.export.base import no_form
from n2d2py.export.qlinear.graph import Value
from n2d2py.export.writing import Writing
from n2d2py.integer.operations import Requantization
from n2d2py.registry import names

KIND = "onnx operation"
IN_RESCALING = "in the rescaling"
"""The path of sums that are not stored: what the tensor holds is rescaled already."""


@dataclass(eq=False)
class Site(Writing):
    """One operation that is being written."""

    paths: dict[str, str]
    """How each operation is computed, for the report."""
    unequal: list[str]
    """Cells outside of QLinearConv because no integer bias is equal to theirs."""

    @property
    def rescaling(self) -> Requantization | None:
        """The rescaling that alone takes the result, if there is one."""
        takers = self.export.network.consumers(self.operation.name)
        if self.operation.name in self.export.outputs or len(takers) != 1:
            return None
        return takers[0] if isinstance(takers[0], Requantization) else None

    def give(self, name: str, value: Value, path: str) -> None:
        """What an operation gives, and by which path."""
        self.values[name] = value
        self.paths[name] = path

    def no_form(self, why: str = "") -> IntegerError:
        """The error that the operation cannot be written."""
        return no_form(self.operation, "ONNX", names(KIND), why)

    def check_flat(self) -> None:
        """Raise the error of values that have a depth."""
        if any(edge.dims.depth > 1 for edge in (*self.sources, self.made)):
            raise self.no_form("its values have a depth")
