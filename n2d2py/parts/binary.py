"""Binary and ternary quantizers, with a constant, a learned or a mean scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.kinds import one_of, real_between
from n2d2py.parameters import Record, parameter
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer
from n2d2py.registry import register

_POSITIVE = real_between(0, float("inf"), low_open=True)


@dataclass(frozen=True, kw_only=True)
class _FewLevels(Record):
    """Levels that are fixed, so that Range has no meaning."""

    codes: ClassVar[tuple[int, ...]] = (-1, 1)

    range: int = 1
    clip: float = parameter("Clip", _POSITIVE, 1.0, "the gradient passes where |x| is at most this")

    @property
    def bits(self) -> int:
        """Bits that hold the levels."""
        return (len(self.codes) - 1).bit_length()

    @property
    def passes(self) -> tuple[float, float]:
        """Between which values the gradient passes."""
        return (-self.clip, self.clip)


@dataclass(frozen=True, kw_only=True)
class FewWeights(_FewLevels, WeightQuantizer):
    range: int = 1
    scale: str = parameter(
        "Scale",
        one_of("Mean", "Constant", "Learned"),
        "Mean",
        "Mean: mean magnitude of the weights that are not 0; Constant: ScaleValue; Learned: begins with ScaleValue",
    )
    scale_value: float = parameter("ScaleValue", _POSITIVE, 0.1, "scale if it is constant, its begin if it is learned")


@register("weight quantizer", "Binary")
@dataclass(frozen=True, kw_only=True)
class BinaryWeights(FewWeights):
    """One bit: scale * sign(w), sign(0) = +1 (Courbariaux et al. 2015; mean scale: Rastegari et al. 2016)."""

    def label(self) -> str:
        return f"QWeights: Binary, {self.scale.lower()} scale"


@register("weight quantizer", "Ternary")
@dataclass(frozen=True, kw_only=True)
class TernaryWeights(FewWeights):
    """Weights -1, 0 or 1 times a scale (Li, Zhang and Liu 2016, "Ternary weight networks")."""

    codes: ClassVar[tuple[int, ...]] = (-1, 0, 1)

    threshold: float = parameter(
        "Threshold",
        real_between(0, float("inf")),
        0.7,
        "with Scale=Mean: weights up to this times their mean magnitude become 0; else up to half the scale",
    )

    def label(self) -> str:
        return f"QWeights: Ternary, {self.scale.lower()} scale"


@dataclass(frozen=True, kw_only=True)
class FewActivations(_FewLevels, ActivationQuantizer):
    range: int = 1
    scale_value: float = parameter("ScaleValue", _POSITIVE, 1.0, "the constant scale")


@register("activation quantizer", "Binary")
@dataclass(frozen=True, kw_only=True)
class BinaryActivations(FewActivations):
    """One bit: scale * sign(x), sign(0) = +1 (Hubara et al. 2016, "Binarized neural networks", equation 1 and 4)."""

    def label(self) -> str:
        return "QAct: Binary"


@register("activation quantizer", "Ternary")
@dataclass(frozen=True, kw_only=True)
class TernaryActivations(FewActivations):
    """-1, 0 or 1 times a constant scale; 0 up to half the scale."""

    codes: ClassVar[tuple[int, ...]] = (-1, 0, 1)

    def label(self) -> str:
        return "QAct: Ternary"
