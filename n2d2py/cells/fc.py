"""Fc: fully connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cost, Dims, WeightedCell
from n2d2py.kinds import boolean, one_of, real_between, word
from n2d2py.parameters import choice, parameter
from n2d2py.parts.fillers import Filler, NormalFiller
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.registry import register

_DEFAULT_FILLER = NormalFiller(mean=0.0, std_dev=0.05)


@register("cell", "Fc")
@dataclass(frozen=True, kw_only=True)
class Fc(WeightedCell):
    """y = W x + b on all inputs, flattened channel by channel and put one after the other."""

    weights_filler: Filler = choice("WeightsFiller", "filler", _DEFAULT_FILLER, "initial weights")
    bias_filler: Filler = choice("BiasFiller", "filler", _DEFAULT_FILLER, "initial biases")
    weights_solver: Solver = choice(
        ("WeightsSolver", "Solvers"), "solver", SGD(), "solver of the weights", type_default="SGD"
    )
    bias_solver: Solver = choice(("BiasSolver", "Solvers"), "solver", SGD(), "solver of the biases", type_default="SGD")
    no_bias: bool = parameter("NoBias", boolean, False, "1: no biases")
    back_propagate: bool = parameter("BackPropagate", boolean, True, "0: no gradient to the inputs")
    normalize: bool = parameter("Normalize", boolean, False, "1: the weights of each output have L2 norm 1")
    drop_connect: float = parameter(
        "DropConnect", real_between(0, 1, low_open=True), 1.0, "share of the connections that is kept while learning"
    )
    weights_export_format: str = parameter(
        "WeightsExportFormat", one_of("OC", "CO"), "OC", "order of the values in the weight file"
    )
    outputs_remap: str = parameter("OutputsRemap", word, "", "order of the outputs in exports")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        return Dims(1, 1, self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        synapses = self.nb_outputs * (sum(dims.size for dims in inputs) + (not self.no_bias))
        return Cost(
            neurons=output.size,
            nodes=output.size,
            synapses=synapses,
            virtual_synapses=synapses,
            connections=synapses,
        )
