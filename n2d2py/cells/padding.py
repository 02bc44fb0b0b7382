"""Padding: zeros around the input, on each side as many as it wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.cells.spatial import check_flat, check_not_a_point
from n2d2py.errors import GraphError
from n2d2py.kinds import integer
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("cell", "Padding")
@dataclass(frozen=True, kw_only=True)
class Padding(ActivatedCell):
    """Zeros on the four sides; below 0 a side is cropped."""

    top: int = parameter("TopPadding", integer, 0, "rows above", unit="pixels")
    bottom: int = parameter("BottomPadding", integer, 0, "rows below", unit="pixels")
    left: int = parameter("LeftPadding", integer, 0, "columns on the left", unit="pixels")
    right: int = parameter("RightPadding", integer, 0, "columns on the right", unit="pixels")

    @property
    def selects(self) -> bool:
        return True

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = super().outputs(inputs)
        check_not_a_point(self, dims)
        check_flat(self, dims)
        width, height = dims.width + self.left + self.right, dims.height + self.top + self.bottom
        for size, given, before, after in (
            (width, dims.width, self.left, self.right),
            (height, dims.height, self.top, self.bottom),
        ):
            if size < 1 or given + min(before, 0) + min(after, 0) < 1:
                raise GraphError(
                    f"Padding cell {self.name} crops {-min(before, 0)} and {-min(after, 0)} of {given} values",
                    place=self.place(),
                    expected="at least one value that is left",
                )
        return Dims(width, height, dims.channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"top {self.top}, bottom {self.bottom}, left {self.left}, right {self.right}")
        return lines
