"""Distance: half the squared distance of the input to a learned centre of each class, below 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cell, Cost, Dims, Parameters
from n2d2py.kinds import boolean, unsigned, unsigned_real
from n2d2py.parameters import REQUIRED, choice, parameter
from n2d2py.parts.fillers import Filler, XavierFiller
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.registry import register


@register("cell", "Distance")
@dataclass(frozen=True, kw_only=True)
class Distance(Cell):
    """y[c] = -1/2 |x - mean[c]|^2, of all inputs flattened (Wan et al. 2018, arXiv:1803.02988, equations 5 to 10).

    While learning, y of the label's class is multiplied by 1 + Margin, and CenterCoef * 1/2 |x - mean[label]|^2 is
    added to the loss: the centre of a class is drawn to its stimuli and they to it.
    """

    margin: float = parameter("Margin", unsigned_real, REQUIRED, "share by which the label's class must be nearer")
    center_coef: float = parameter("CenterCoef", unsigned_real, REQUIRED, "factor of the distance to the own centre")
    end_ramp: int = parameter(
        "EndRampIT", unsigned, 0, "batches over which the margin grows from 0; 0: it is there from the start",
        unit="batches",
    )
    weights_filler: Filler = choice(
        "WeightsFiller", "filler", XavierFiller(variance_norm="Average", scaling=2.0), "initial centres"
    )
    weights_solver: Solver = choice(
        ("WeightsSolver", "Solvers"), "solver", SGD(), "solver of the centres", type_default="SGD"
    )
    back_propagate: bool = parameter("BackPropagate", boolean, True, "0: no gradient to the inputs")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        return Dims(1, 1, self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        synapses = self.nb_outputs * sum(dims.size for dims in inputs)
        return Cost(output.size, output.size, synapses, synapses, synapses)

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        return Parameters(weights=self.nb_outputs * sum(dims.size for dims in inputs))

    def macs(self, inputs: Sequence[Dims], output: Dims) -> int:
        return self.nb_outputs * sum(dims.size for dims in inputs)
