"""LSQ on weights: one learned step for the tensor (:mod:`~n2d2py.quant.steps`).

APoT quantizes (w - mean) / deviation, each over the tensor, in place of w.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from n2d2py.parts.lsq import LsqWeights
from n2d2py.quant.budgets import Budget, fit
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels
from n2d2py.quant.steps import SMALLEST, LearnedStep
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register


@register("weight quantization", "LSQ")
class LsqWeightQuantization(WeightQuantization):
    """LSQ on one weight tensor."""

    record: LsqWeights

    def __init__(self, record: LsqWeights, shape: Sequence[int]) -> None:
        super().__init__(record, shape)
        self.levels = Levels(record.codes)
        self.step = LearnedStep(
            self.levels,
            record.initial,
            power_of_two=record.power_of_two,
            rate_factor=record.rate_factor,
            by_magnitude=record.gradient == "MAD",
        )
        self.step.least_error = record.least_error
        self.budget: Budget | None = None

    @property
    def separate(self) -> bool:
        return self.record.mode == "Integer"

    @property
    def bounds_sums(self) -> bool:
        return self.levels.even

    def bound(self, budget: Budget) -> None:
        self.budget = budget
        self.step.toward_zero = True

    def forward(self, weights: Tensor) -> Tensor:
        return self.step.quantize(self._fitted(weights))

    def split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        return self.step.split(self._fitted(weights))

    @torch.no_grad()
    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        codes = self.step.codes(self._fitted(weights))
        return codes, self.levels.grid(self.step.number())

    @torch.no_grad()
    def still(self, weights: Tensor) -> Tensor | None:
        return None if self.step.by_magnitude else self.step.beyond(self._fitted(weights))

    @property
    def stirred_by(self) -> str:
        return "QWeight.Gradient=MAD"

    def _fitted(self, weights: Tensor) -> Tensor:
        """What is quantized: the normalised weights, within the budget if there is one."""
        weights = self.normalised(weights)
        if self.budget is None:
            return weights
        self.step.prepare(weights)
        return fit(weights, self.step.in_use(), self.budget)

    def normalised(self, weights: Tensor) -> Tensor:
        """The weights themselves, here."""
        return weights

    def fill(self) -> None:
        self.step.fill()

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        return [("alphaW_LSQ", self.step.value)]


@register("weight quantization", "APoT")
class ApotWeightQuantization(LsqWeightQuantization):
    """APoT on one weight tensor (Li, Dong and Wang 2020, arXiv:1909.13144, equation 8)."""

    @property
    def bounds_sums(self) -> bool:
        return False

    def normalised(self, weights: Tensor) -> Tensor:
        if weights.numel() < 2:
            return weights
        deviation, mean = torch.std_mean(weights)
        return (weights - mean) / deviation.clamp_min(SMALLEST)
