"""Prune: weights that are taken away, alone or before another quantizer."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of, real_between, unsigned
from n2d2py.parameters import choice, parameter
from n2d2py.parts.quantizers import WeightQuantizer
from n2d2py.registry import register

_SHARE = real_between(0, 1)
_STEP = real_between(0, float("inf"), low_open=True)


@register("weight quantizer", "Prune")
@dataclass(frozen=True, kw_only=True)
class PrunedWeights(WeightQuantizer):
    """Weights times a mask of 0 and 1; ``QWeight.Quantizer`` names what quantizes those that are left."""

    range: int = 1
    power_of_two: bool = False
    mode: str = parameter(
        "PruningMode",
        one_of("Identity", "Static", "Gradual"),
        "Identity",
        "Identity: nothing is taken away; Static: Threshold at once; Gradual: more and more, until Threshold",
    )
    filler: str = parameter(
        "PruningFiller",
        one_of("None", "Random", "IterNonStruct"),
        "Random",
        "which weights go: None, those of a loaded mask alone; Random; IterNonStruct, the smallest ones",
    )
    threshold: float = parameter("Threshold", _SHARE, 0.2, "share of the weights that is taken away in the end")
    delta: float = parameter("Delta", _STEP, 0.001, "IterNonStruct cuts at a multiple of this magnitude")
    start_threshold: float = parameter("StartThreshold", _SHARE, 0.1, "share that Gradual begins with")
    step_size_threshold: int = parameter(
        "StepSizeThreshold",
        unsigned,
        0,
        "from one step of Gradual to the next; 0: one in the time between two logs",
        unit="stimuli",
    )
    gamma_threshold: float = parameter("GammaThreshold", _SHARE, 0.05, "by how much a step of Gradual raises the share")
    quantizer: WeightQuantizer | None = choice(
        "Quantizer", "weight quantizer", None, "quantizer of the weights that are left"
    )

    def __post_init__(self) -> None:
        if isinstance(self.quantizer, PrunedWeights):
            raise ParameterError(
                "Prune before Prune",
                place=self.place("quantizer"),
                expected="another quantizer, such as LSQ",
                remedy="one Prune with the larger Threshold",
            )
        if self.mode == "Gradual" and self.start_threshold > self.threshold:
            raise ParameterError(
                f"StartThreshold={self.start_threshold:g} is above Threshold={self.threshold:g}",
                place=self.place("start_threshold") or self.place("threshold"),
                expected="PruningMode=Gradual that begins with the smaller share",
            )

    @property
    def bits(self) -> int:
        """Bits of the weights that are left; those of a float if nothing quantizes them."""
        return 32 if self.quantizer is None else self.quantizer.bits

    @property
    def clamps_only(self) -> bool:
        return self.quantizer is not None and self.quantizer.clamps_only

    @property
    def apply_quantization(self) -> bool:
        """Whether the weights are on a grid."""
        return self.quantizer is not None and not self.clamps_only

    def label(self) -> str:
        pruned = f"QWeights: Prune {self.mode.lower()}"
        if self.mode != "Identity":
            pruned += f" {100 * self.threshold:g}%"
        return pruned if self.quantizer is None else f"{pruned}, {self.quantizer.label().removeprefix('QWeights: ')}"
