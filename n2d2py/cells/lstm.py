"""LSTM: layers with a memory, on sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.recurrent import USUAL_FILLER, Recurrent
from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of
from n2d2py.parameters import choice, parameter
from n2d2py.parts.fillers import ConstantFiller, Filler
from n2d2py.registry import register

GATES = ("input", "forget", "cell", "output")
"""The gates in the order of the rows of a weight matrix."""

_ZERO = ConstantFiller(value=0.0)


@register("cell", "LSTM")
@dataclass(frozen=True, kw_only=True)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    a_k = W_k x + b_k + R_k h + c_k; i, f, o = logistic(a), g = tanh(a); s = f s + i g; h = o tanh(s).
    Quantized: s = QState(QState(f s) + QState(i g)), h = QOutput(o QTanh(tanh(s))), f = QSigmoid(logistic(a_f)), ...

    A stimulus is a sequence: its height is the time, and the values of one step are those of a row, channel by
    channel: SeqLength = height, InputDim = channels * width. (N2D2 has the sequence in place of the stimuli of a
    batch, and the batch in place of the channels.) The output has HiddenSize channels, twice as many if
    Bidirectional: those of the last step, or with SingleBackpropFeeding=0 of all steps, the height being the time.
    """

    gates: ClassVar[tuple[str, ...]] = GATES

    input_mode: str = parameter(
        "InputMode", one_of("0", "1"), "1", "1: the first layer has weights of its input; 0: its gates take the input"
    )
    input_weights_filler: Filler | None = choice("WeightsInputGateFiller", "filler", None, "weights of the input gate")
    forget_weights_filler: Filler | None = choice(
        "WeightsForgetGateFiller", "filler", None, "weights of the forget gate"
    )
    cell_weights_filler: Filler | None = choice("WeightsCellGateFiller", "filler", None, "weights of the cell gate")
    output_weights_filler: Filler | None = choice(
        "WeightsOutputGateFiller", "filler", None, "weights of the output gate"
    )
    input_bias_filler: Filler | None = choice("BiasInputGateFiller", "filler", None, "biases of the input gate")
    cell_bias_filler: Filler | None = choice("BiasCellGateFiller", "filler", None, "biases of the cell gate")
    output_bias_filler: Filler | None = choice("BiasOutputGateFiller", "filler", None, "biases of the output gate")
    forget_bias_filler: Filler | None = choice(
        "BiasPreviousLayerForgetGateFiller", "filler", None, "biases b of the forget gate"
    )
    recurrent_forget_bias_filler: Filler | None = choice(
        ("BiasRecurrentForgetGateFiller", "BiasReccurentForgetGateFiller"),
        "filler",
        None,
        "biases c of the forget gate",
    )
    state_filler: Filler = choice("CxFiller", "filler", _ZERO, "s before the first step")

    def __post_init__(self) -> None:
        if self.skips_input and self.input_dim != self.hidden_size:
            raise ParameterError(
                f"LSTM cell {self.name} with InputMode=0 has InputDim={self.input_dim} and "
                f"HiddenSize={self.hidden_size}",
                place=self.place("input_mode"),
                expected="as many values of the input as of the memory",
            )
        if self.skips_input and self.weights_quantizer is not None:
            raise ParameterError(
                f"LSTM cell {self.name} has QWeight, and with InputMode=0 no weights of its input",
                place=self.place("weights_quantizer"),
                expected="InputMode=1, so that the weights of each gate are quantized together",
            )
        super().__post_init__()

    @property
    def skips_input(self) -> bool:
        return self.input_mode == "0"

    def filler_of(self, gate: str, bias: bool, recurrent: bool) -> Filler:
        if bias:
            name = "recurrent_forget_bias_filler" if gate == "forget" and recurrent else f"{gate}_bias_filler"
            own, every = getattr(self, name), self.bias_filler
        else:
            own, every = getattr(self, f"{gate}_weights_filler"), self.weights_filler
        found: Filler = own or every or USUAL_FILLER
        return found
