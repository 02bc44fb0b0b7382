"""FMP: fractional max-pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.cells.spatial import check_flat, check_not_a_point
from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "FMP")
@dataclass(frozen=True, kw_only=True)
class FMP(ActivatedCell):
    """Maximum over regions whose borders are drawn anew each time it learns (Graham 2014, arXiv:1412.6071).

    Each channel is pooled alone, to round(size / ScalingRatio) values along an axis, a half rounded up.
    """

    scaling_ratio: float = parameter(
        "ScalingRatio", real_between(1, math.inf, low_open=True), REQUIRED, "size of the input over that of the output"
    )
    overlapping: bool = parameter("Overlapping", boolean, True, "1: neighbouring regions share their border")
    pseudo_random: bool = parameter(
        "PseudoRandom", boolean, True, "1: evenly spread borders from a drawn start; 0: widths in a drawn order"
    )

    @property
    def selects(self) -> bool:
        return True

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = super().outputs(inputs)
        check_not_a_point(self, dims)
        check_flat(self, dims)
        width, height = (self._pooled(size, axis) for axis, size in zip("XY", (dims.width, dims.height), strict=True))
        return Dims(width, height, dims.channels)

    def _pooled(self, size: int, axis: str) -> int:
        pooled = math.floor(size / self.scaling_ratio + 0.5)
        if pooled < 1:
            raise GraphError(
                f"FMP cell {self.name} leaves nothing of {size} values along {axis}",
                place=self.place("scaling_ratio"),
                expected=f"a ScalingRatio of at most {2 * size}",
            )
        return pooled

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"Max, 1/{self.scaling_ratio:g}")
        return lines
