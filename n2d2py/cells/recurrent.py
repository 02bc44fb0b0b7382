"""Cells with a memory: what LSTM and GRU have in common, and the quantizers of their tensors.

With Q_x the quantizer that key x names (the identity where it is not written) and k the gates,

    x = QInput(x);  W_k, U_k = QWeight(W_k, U_k), one quantizer for both;  a_k = QGateAcc_k(W_k x + U_k h + b_k + c_k)

Each layer and direction has quantizers of its own; QInput is that of the cell's input, once. All but the outputs of
the logistic function are signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.base import Cell, Cost, Dims, Parameters, alone
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError, ParameterError
from n2d2py.kinds import boolean, one_of, positive, real_between, unsigned
from n2d2py.parameters import REQUIRED, choice, declarations, parameter
from n2d2py.parts.fillers import ConstantFiller, Filler, NormalFiller
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer
from n2d2py.parts.solvers import SGD, Solver

USUAL_FILLER = NormalFiller(mean=0.0, std_dev=0.05)
_ZERO = ConstantFiller(value=0.0)

ROLES = {
    "input": "input_quantizer",
    "accumulator": "accumulator_quantizer",
    "sigmoid": "sigmoid_quantizer",
    "tanh": "tanh_quantizer",
    "state": "state_quantizer",
    "output": "output_quantizer",
}
"""What is quantized beside the weights, and the field of its quantizer."""

SIGNED = ("accumulator", "tanh", "state", "output")
"""Those whose values lie on both sides of 0."""


@dataclass(frozen=True, kw_only=True)
class Recurrent(Cell):
    """A cell that reads a stimulus as a sequence."""

    gates: ClassVar[tuple[str, ...]] = ()
    """The gates in the order of the rows of a weight matrix."""

    nb_outputs: int = parameter("NbOutputs", unsigned, 0, "channels of the output; 0: as many as there are")
    seq_length: int = parameter("SeqLength", positive, REQUIRED, "steps of a sequence")
    batch_size: int = parameter("BatchSize", positive, REQUIRED, "sequences in a batch; that of the stimuli counts")
    input_dim: int = parameter("InputDim", positive, REQUIRED, "values of a step")
    nb_layers: int = parameter("NumberLayers", positive, REQUIRED, "layers, of which each feeds the next")
    hidden_size: int = parameter("HiddenSize", positive, REQUIRED, "values of the memory of a layer")
    algorithm: str = parameter("Algo", one_of("0"), "0", "how it is computed; 0: the standard way")
    bidirectional: bool = parameter("Bidirectional", boolean, False, "1: from the last step to the first one too")
    dropout: float = parameter("Dropout", real_between(0, 1, high_open=True), 0.0, "share dropped between layers")
    last_step_only: bool = parameter("SingleBackpropFeeding", boolean, True, "1: the output is that of the last step")
    weights_filler: Filler | None = choice("AllGatesWeightsFiller", "filler", None, "weights of all gates")
    bias_filler: Filler | None = choice("AllGatesBiasFiller", "filler", None, "biases of all gates")
    hidden_filler: Filler = choice("HxFiller", "filler", _ZERO, "h before the first step")
    weights_quantizer: WeightQuantizer | None = choice(
        "QWeight", "weight quantizer", None, "quantizer of the weights of each gate, W and U together"
    )
    weights_quantizer_solver: Solver = choice(
        ("QWeightSolver", "QWeight.Solver"), "solver", SGD(), "solver of its parameters", type_default="SGD"
    )
    input_quantizer: ActivationQuantizer | None = choice(
        "QInput", "activation quantizer", None, "quantizer of the input"
    )
    accumulator_quantizer: ActivationQuantizer | None = choice(
        "QGateAcc", "activation quantizer", None, "quantizer of the sum of each gate; Signed=1"
    )
    sigmoid_quantizer: ActivationQuantizer | None = choice(
        "QSigmoid", "activation quantizer", None, "quantizer of the outputs of the logistic function"
    )
    tanh_quantizer: ActivationQuantizer | None = choice(
        "QTanh", "activation quantizer", None, "quantizer of the outputs of tanh; Signed=1"
    )
    state_quantizer: ActivationQuantizer | None = choice(
        "QState", "activation quantizer", None, "quantizer of the memory, and of what is added up to it; Signed=1"
    )
    output_quantizer: ActivationQuantizer | None = choice(
        "QOutput",
        "activation quantizer",
        None,
        "quantizer of the output h, as the gates of the next step see it too; Signed=1",
    )
    activation_quantizer_solver: Solver = choice(
        ("QActSolver", "QAct.Solver"), "solver", SGD(), "solver of the parameters of all of them", type_default="SGD"
    )
    weights_solver: Solver = choice(
        ("WeightsSolver", "Solvers"), "solver", SGD(), "solver of the weights", type_default="SGD"
    )
    bias_solver: Solver = choice(("BiasSolver", "Solvers"), "solver", SGD(), "solver of the biases", type_default="SGD")
    back_propagate: bool = parameter("BackPropagate", boolean, True, "0: no gradient to the inputs")

    def __post_init__(self) -> None:
        for role in SIGNED:
            name = ROLES[role]
            quantizer: ActivationQuantizer | None = getattr(self, name)
            if quantizer is not None and lowest_code(quantizer) >= 0:
                key = declarations(type(self))[name].key
                raise ParameterError(
                    f"{key} of cell {self.name} has no codes below 0, and its values lie on both sides of 0",
                    place=self.place(name),
                    expected="a signed quantizer",
                    remedy=f"{key}.Signed=1, with {key}=FixedPoint or {key}=LSQ",
                )
        for role, quantizer in self.quantizers.items():
            if quantizer.integer_bias:
                key = declarations(type(self))[ROLES[role]].key
                raise ParameterError(
                    f"{key}.IntegerBias=1 of cell {self.name}: there is no such form of a recurrent cell",
                    place=self.place(ROLES[role]),
                    remedy=f"leave out {key}.IntegerBias",
                )
        if self.nb_outputs == 0:
            object.__setattr__(self, "nb_outputs", self.hidden_size * self.directions)

    @property
    def quantizers(self) -> dict[str, ActivationQuantizer]:
        """The quantizers beside that of the weights, by what they quantize."""
        found = {role: getattr(self, name) for role, name in ROLES.items()}
        return {role: quantizer for role, quantizer in found.items() if quantizer is not None}

    @property
    def is_quantized(self) -> bool:
        """Whether anything is on a grid, or will be."""
        return self.weights_quantizer is not None or bool(self.quantizers)

    @property
    def skips_input(self) -> bool:
        """Whether the gates of the first layer take the input as it is."""
        return False

    @property
    def directions(self) -> int:
        """1, or 2 if it goes backward too."""
        return 1 + self.bidirectional

    def filler_of(self, gate: str, bias: bool, recurrent: bool) -> Filler:
        """The filler of one gate's weights or biases: its own, else that of all gates, else N(0, 0.05)."""
        return (self.bias_filler if bias else self.weights_filler) or USUAL_FILLER

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = alone(self, inputs)
        check_flat(self, dims)
        if (dims.height, dims.channels * dims.width) != (self.seq_length, self.input_dim):
            raise GraphError(
                f"{self.type_name} cell {self.name} has SeqLength={self.seq_length} and InputDim={self.input_dim}; "
                f"its input has {dims.height} rows of {dims.channels * dims.width} values",
                place=self.place("seq_length"),
                expected=f"SeqLength={dims.height} and InputDim={dims.channels * dims.width}, "
                "or an input whose rows are the steps",
            )
        self.check_outputs(self.hidden_size * self.directions)
        return Dims(1, 1 if self.last_step_only else self.seq_length, self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        synapses = sum(self.parameters(inputs, output))
        virtual = synapses * self.seq_length
        return Cost(output.size, output.size, synapses, virtual, virtual)

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        rows = len(self.gates) * self.hidden_size * self.directions
        first = 0 if self.skips_input else self.input_dim
        inner = (self.nb_layers - 1) * self.hidden_size * self.directions
        weights = rows * (first + inner + self.nb_layers * self.hidden_size)
        return Parameters(weights, 2 * rows * self.nb_layers)

    def macs(self, inputs: Sequence[Dims], output: Dims) -> int:
        return self.parameters(inputs, output).weights * self.seq_length

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        both = ", both ways" if self.bidirectional else ""
        lines.insert(1, f"{self.nb_layers} x {self.hidden_size}{both}")
        if self.weights_quantizer is not None:
            lines.append(self.weights_quantizer.label())
        known = declarations(type(self))
        lines += [
            quantizer.label().replace("QAct", known[ROLES[role]].key, 1) for role, quantizer in self.quantizers.items()
        ]
        return lines


def lowest_code(quantizer: ActivationQuantizer) -> int:
    """The lowest code, as far as it is known before learning."""
    codes: Sequence[int] = getattr(quantizer, "codes", (0,))
    return -1 if getattr(quantizer, "offset", False) else codes[0]
