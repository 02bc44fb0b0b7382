"""Fixed point (the quantizers that Brevitas names FixedPoint; without powers of two, those that it names Float).

A threshold T is the value of the largest code, or, with a scale that is a power of two, of the code after it:

    weights                s = 2^ceil(log2 T) / 2^(bits - 1),  or T / (2^(bits - 1) - 1)
    signed activations     s = 2^ceil(log2 T) / 2^(bits - 1),  or T / 2^(bits - 1)
    unsigned activations   s = 2^ceil(log2 T) / 2^bits,        or T / (2^bits - 1)

Weights have T = max|w|, which is found anew for each batch, and the gradient is straight through rounding and clipping:

    y = s code,  code = rint(w / s) clamped
    dL/dw = g, and for the weight of the largest magnitude also sign(w) (s / T) sum of g (code - w / s)

Activations have a learned T; it is stored as the step s, which learns as that of LSQ (:mod:`~n2d2py.quant.steps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from n2d2py.parts.fixed_point import FixedPointActivations, FixedPointWeights
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels
from n2d2py.quant.power import next_power
from n2d2py.quant.scaled import Scaled
from n2d2py.quant.steps import LearnedStep
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register


@register("weight quantization", "FixedPoint")
class FixedPointWeightQuantization(WeightQuantization):
    """Fixed-point weights of one tensor; nothing to learn, nothing to store."""

    record: FixedPointWeights

    def __init__(self, record: FixedPointWeights, shape: Sequence[int]) -> None:
        super().__init__(record, shape)
        self.low, self.high = record.codes
        self.largest = self.high + 1 if record.power_of_two else self.high

    def forward(self, weights: Tensor) -> Tensor:
        quantized: Tensor = _Quantize.apply(weights, self)
        return quantized

    @torch.no_grad()
    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        scale = self.scale(weights.abs().max())
        return self.encode(weights / scale), Grid(float(scale), self.low, self.high)

    def scale(self, threshold: Tensor) -> Tensor:
        """s; 1 for weights of nothing but 0."""
        scale = torch.where(threshold > 0, threshold, float(self.largest)) / self.largest
        return next_power(scale) if self.record.power_of_two else scale

    def encode(self, scaled: Tensor) -> Tensor:
        """Codes of w / s, a new tensor."""
        return scaled.round().clamp_(self.low, self.high)


@register("activation quantization", "FixedPoint")
class FixedPointActivationQuantization(ActivationQuantization):
    """Fixed-point activations of one output."""

    record: FixedPointActivations

    def __init__(self, record: FixedPointActivations) -> None:
        super().__init__(record)
        self.levels = Levels.between(*record.codes)
        self.step = LearnedStep(self.levels, None, power_of_two=record.power_of_two)
        half = record.signed or not record.power_of_two
        self.largest = -self.levels.low if record.signed else self.levels.high if half else self.levels.high + 1

    def forward(self, values: Tensor) -> Tensor:
        self.prepare(values)
        return self.step.quantize(values)

    def split(self, values: Tensor) -> Scaled:
        self.prepare(values)
        codes, scale = self.step.split(values)
        return Scaled(codes, scale, self.levels.magnitude)

    @property
    def span(self) -> tuple[int, int]:
        return self.levels.low, self.levels.high

    @property
    def ready(self) -> bool:
        return self.step.known

    @torch.no_grad()
    def prepare(self, values: Tensor) -> None:
        if self.step.known:
            return
        magnitudes = values.detach().abs().flatten()
        place = max(1, round(magnitudes.numel() * self.record.percentile / 100))
        threshold = float(magnitudes.kthvalue(min(place, magnitudes.numel())).values)
        self.step.begin(threshold / self.largest)

    def grid(self) -> Grid:
        return self.levels.grid(self.step.number())

    @torch.no_grad()
    def codes(self, real: Tensor) -> Tensor:
        return self.levels.nearest(real / self.step.number())

    def nearest(self, scaled: Tensor) -> Tensor:
        return self.levels.nearest(scaled)

    def fill(self) -> None:
        self.step.fill()

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        return [("QAct_FixedPoint_StepSize", self.step.value)]


class _Quantize(torch.autograd.Function):
    """w -> code * s."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, quantizer: FixedPointWeightQuantization) -> Tensor:
        magnitudes = weights.abs().flatten()
        place = magnitudes.argmax()
        threshold = magnitudes[place]
        scale = quantizer.scale(threshold)
        scaled = weights / scale
        codes = quantizer.encode(scaled)
        ctx.save_for_backward(codes - scaled, place, scaled.flatten()[place].sign() * scale / threshold)
        return codes.mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        distances, place, slope = ctx.saved_tensors
        passed = gradient.flatten().clone()
        change = torch.dot(passed, distances.flatten()) * slope
        passed[place] += torch.nan_to_num(change)  # weights of nothing but 0 have no threshold
        return passed.view_as(gradient), None
