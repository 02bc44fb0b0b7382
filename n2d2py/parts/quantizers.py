"""The quantizers that ``QWeight=`` and ``QAct=`` name, with their parameters.

``Range`` is the number of steps: R + 1 levels, so 255 is 8 bits, 15 is 4 bits, 1 is one bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, integer_between, one_of, real_between
from n2d2py.parameters import Record, parameter
from n2d2py.registry import name_of, register

_LEVELS = ("Default", "Symmetric", "Asymmetric", "FullRange")

MOST_STEPS = (1 << 24) - 1
"""24 bits: codes up to here are exact in float32, in which networks learn."""
steps = integer_between(1, MOST_STEPS)
"""The type of a Range."""


def power_above(value: float) -> float:
    """The least power of two that is not below a positive number: 2^ceil(log2 value).

    >>> power_above(0.3), power_above(4.0)
    (0.5, 4.0)
    """
    mantissa, exponent = math.frexp(value)  # value = mantissa * 2^exponent, mantissa in [1/2, 1)
    return math.ldexp(1.0, exponent - (mantissa == 0.5))


@dataclass(frozen=True, kw_only=True)
class WeightQuantizer(Record):
    """A quantizer of the weights of a cell."""

    range: int = parameter("Range", steps, 255, "number of steps R; R + 1 levels", unit="steps")
    power_of_two: bool = parameter("PowerOfTwo", boolean, False, "1: the scale is rounded up to a power of two")

    @property
    def bits(self) -> int:
        """Bits that hold R + 1 levels."""
        return self.range.bit_length()

    @property
    def clamps_only(self) -> bool:
        """Whether the weights are not on a grid yet, as in the first stage of SAT."""
        return False

    def label(self) -> str:
        """As it stands on a picture, in N2D2's words."""
        return f"QWeights: {name_of('weight quantizer', type(self))} on range [{self.range} q-step]"


@dataclass(frozen=True, kw_only=True)
class ActivationQuantizer(Record):
    """A quantizer of the output of a cell."""

    range: int = parameter("Range", steps, 255, "number of steps R; codes 0..R", unit="steps")
    power_of_two: bool = parameter("PowerOfTwo", boolean, False, "1: the scale is rounded up to a power of two")
    integer_bias: bool = parameter(
        "IntegerBias",
        boolean,
        False,
        "1: what comes before the quantizer is tested, and becomes integers, as (sum + bias) * slope with an int32 "
        "bias and a float32 slope, the form of ONNX Runtime's QLinearConv; learning is not changed",
    )

    @property
    def bits(self) -> int:
        """Bits that hold the codes 0..R."""
        return self.range.bit_length()

    def label(self) -> str:
        """As it stands on a picture, in N2D2's words."""
        return f"QAct: {name_of('activation quantizer', type(self))} on range [{self.range} q-step]"


@register("weight quantizer", "SAT")
@dataclass(frozen=True, kw_only=True)
class SatWeights(WeightQuantizer):
    """SAT (Jin, Yang and Liao 2019, arXiv:1912.10207): tanh-normalised weights on a uniform grid."""

    mode: str = parameter(
        "QuantMode",
        one_of(*_LEVELS, "Integer"),
        "Default",
        "grid of the levels; Integer computes on the Default grid with integer codes and a separate scale",
        spellings=("Mode",),
    )
    apply_quantization: bool = parameter(
        "ApplyQuantization", boolean, True, "0: only clamp (tanh(w) / max|tanh(w)|), the first stage of SAT"
    )
    apply_scaling: bool = parameter(
        "ApplyScaling", boolean, False, "1: divide by sqrt(n Var(w)), for layers without batch normalisation"
    )

    def __post_init__(self) -> None:
        if self.range == 1 and self.mode in ("Symmetric", "Asymmetric"):
            raise ParameterError(
                f"QWeight.Range=1 has no level but zero in mode {self.mode}",
                place=self.place("range") or self.place("mode"),
                expected="a range of at least 2, or mode Default or FullRange",
                remedy="for ternary weights -1, 0, 1 write QWeight.Range=2 with QWeight.QuantMode=Symmetric",
            )

    @property
    def clamps_only(self) -> bool:
        return not self.apply_quantization

    def label(self) -> str:
        if self.clamps_only:
            return "QWeights: SAT, clamp only"
        return super().label()


@register("activation quantizer", "SAT")
@dataclass(frozen=True, kw_only=True)
class SatActivations(ActivationQuantizer):
    """CG-PACT (Jin, Yang and Liao 2019): clip to [0, alpha], alpha learned, R + 1 uniform levels."""

    alpha: float = parameter(
        "Alpha", real_between(0, float("inf"), low_open=True), 8.0, "initial clipping value, learned"
    )
