"""Resize: another width and height, by interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.cells.spatial import check_flat, check_not_a_point
from n2d2py.kinds import boolean, one_of, positive
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Resize")
@dataclass(frozen=True, kw_only=True)
class Resize(ActivatedCell):
    """The value at o comes from o * scale, scale = (in - 1) / (out - 1) with AlignCorners (and out > 1), else in / out.

    * BilinearTF: weighted mean of the values around o * scale, as TensorFlow 1 has it.
    * Bilinear: with AlignCorners the same; else around (o + 1/2) * scale - 1/2, so that pixels are areas, as torch
      and OpenCV have it. (N2D2 knows the name alone.)
    * NearestNeighbor: the value at floor(o * in / out).
    """

    width: int = parameter("OutputWidth", positive, REQUIRED, "width of the output", unit="pixels")
    height: int = parameter("OutputHeight", positive, REQUIRED, "height of the output", unit="pixels")
    mode: str = parameter(
        "Mode", one_of("Bilinear", "BilinearTF", "NearestNeighbor"), REQUIRED, "how a value is made of its neighbours"
    )
    align_corners: bool = parameter("AlignCorners", boolean, True, "1: corners stay corners")

    @property
    def selects(self) -> bool:
        return self.mode == "NearestNeighbor"

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = super().outputs(inputs)
        check_not_a_point(self, dims)
        check_flat(self, dims)
        return Dims(self.width, self.height, dims.channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, self.mode)
        return lines
