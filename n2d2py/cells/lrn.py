"""LRN: local response normalisation across channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cell, Dims
from n2d2py.cells.spatial import check_not_a_point
from n2d2py.kinds import positive, real
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("cell", "LRN")
@dataclass(frozen=True, kw_only=True)
class LRN(Cell):
    """y[c] = x[c] / (K + Alpha / N * sum of x^2 over the N channels around c)^Beta (Krizhevsky et al. 2012, 3.3).

    Alpha is divided by N, as in torch, ONNX and cuDNN.
    """

    size: int = parameter("N", positive, 5, "channels that are summed", unit="channels")
    alpha: float = parameter("Alpha", real, 1e-4, "factor of the sum of squares")
    beta: float = parameter("Beta", real, 0.75, "exponent")
    k: float = parameter("K", real, 2.0, "added to the sum")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = super().outputs(inputs)
        check_not_a_point(self, dims)
        return dims

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        return [*super().label(inputs, output), f"over {self.size} channels"]
