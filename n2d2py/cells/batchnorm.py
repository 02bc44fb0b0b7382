"""BatchNorm: batch normalisation of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.base import ActivatedCell, Dims, Parameters
from n2d2py.kinds import boolean, real_between, unsigned_real, word
from n2d2py.parameters import choice, parameter
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.registry import register


@register("cell", "BatchNorm")
@dataclass(frozen=True, kw_only=True)
class BatchNorm(ActivatedCell):
    """y = scale (x - mean) / sqrt(variance + Epsilon) + bias (Ioffe and Szegedy 2015, algorithm 1)."""

    strict: ClassVar[bool] = True
    normalizes: ClassVar[bool] = True

    scale_solver: Solver = choice(
        ("ScaleSolver", "Solvers"), "solver", SGD(), "solver of the scales", type_default="SGD"
    )
    bias_solver: Solver = choice(("BiasSolver", "Solvers"), "solver", SGD(), "solver of the biases", type_default="SGD")
    epsilon: float = parameter("Epsilon", unsigned_real, 1e-5, "added to the variance")
    momentum: float = parameter(
        "MovingAverageMomentum",
        real_between(0, 1, high_open=True),
        0.1,
        "weight of the batch in the running statistics; 0: they are frozen and used in learning too",
    )
    back_propagate: bool = parameter("BackPropagate", boolean, True, "0: no gradient to the inputs")
    scales_sharing: str = parameter("ScalesSharing", word, "", "the BatchNorm whose scales are used")
    biases_sharing: str = parameter("BiasesSharing", word, "", "the BatchNorm whose biases are used")
    means_sharing: str = parameter("MeansSharing", word, "", "the BatchNorm whose running means are used")
    variances_sharing: str = parameter("VariancesSharing", word, "", "the BatchNorm whose running variances are used")

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        # A scale and a bias for each channel; the statistics are not learned.
        return Parameters(others=((not self.scales_sharing) + (not self.biases_sharing)) * output.channels)
