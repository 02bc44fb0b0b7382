"""PACT and DoReFa: the methods of which SAT is made, under their own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.kinds import boolean
from n2d2py.parameters import parameter
from n2d2py.parts.quantizers import ActivationQuantizer, SatActivations, WeightQuantizer, power_above
from n2d2py.registry import register


@register("activation quantizer", "PACT")
@dataclass(frozen=True, kw_only=True)
class PactActivations(SatActivations):
    """PACT (Choi et al. 2018, arXiv:1805.06085): as SAT, but only clipped values move alpha."""


@register("activation quantizer", "DoReFa")
@dataclass(frozen=True, kw_only=True)
class DoReFaActivations(ActivationQuantizer):
    """DoReFa (Zhou et al. 2016, arXiv:1606.06160, equation 11): clip to [0, 1], R + 1 uniform levels."""

    @property
    def codes(self) -> Sequence[int]:
        """The levels in units of the scale."""
        return range(self.range + 1)

    @property
    def scale_value(self) -> float:
        """The constant scale."""
        return power_above(1 / self.range) if self.power_of_two else 1 / self.range

    @property
    def passes(self) -> tuple[float, float]:
        """Between which values the gradient passes."""
        return (0.0, self.range * self.scale_value)


@register("weight quantizer", "DoReFa")
@dataclass(frozen=True, kw_only=True)
class DoReFaWeights(WeightQuantizer):
    """DoReFa (Zhou et al. 2016, equation 9): tanh-normalised weights on the grid of SAT; one bit: sign(w) mean|w|."""

    apply_quantization: bool = parameter("ApplyQuantization", boolean, True, "0: only clamp (tanh(w) / max|tanh(w)|)")

    @property
    def clamps_only(self) -> bool:
        return not self.apply_quantization
