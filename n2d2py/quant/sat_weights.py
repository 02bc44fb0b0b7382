"""SAT weights (Jin, Yang and Liao 2019, arXiv:1912.10207; DoReFa, Zhou et al. 2016, equation 9).

With t = tanh(w), M = max |t| over the tensor and u = t / M in [-1, 1], the code is, rint rounding half to even,

===========  ===================================================  ==============  =====
mode         code                                                 codes           scale
===========  ===================================================  ==============  =====
Default      2 rint(R (u + 1) / 2) - R                            -R, -R+2 .. R   1 / R
Integer      as Default                                           as Default      1 / R
FullRange    2 rint(R ((1 + 0.9998/R)(u + 1)/2 - 0.4999/R)) - R   -R, -R+2 .. R   1 / R
Symmetric    rint(r u), r = floor(R / 2)                          -r .. r         1 / r
Asymmetric   rint(r ((1 + 1/(2r)) u - 1/(2r)))                    -r-1 .. r       1 / r
===========  ===================================================  ==============  =====

ApplyScaling divides the scale by s = sqrt(n Var(weights)), Var unbiased over the quantized tensor, n = outputs
times kernel taps, so that a layer without batch normalisation keeps the variance of its input.
The gradient is straight through the rounding, M and s constants: dL/dw = dL/dout (1 - t^2) f / (M s), with the
slope f of the formula above: 1, 1 + 0.9998/R (FullRange) or 1 + 1/(2r) (Asymmetric). PowerOfTwo rounds the scale up
to a power of two; the gradient is multiplied by as much as the scale is.

With ApplyQuantization=0, the clamp stage, out = u (Asymmetric: (1 + 1/(2r)) u - 1/(2r)), scaled likewise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from n2d2py.parts.quantizers import SatWeights, power_above
from n2d2py.quant.grid import Grid
from n2d2py.quant.power import next_power
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register


@register("weight quantization", "SAT")
class SatWeightQuantization(WeightQuantization):
    """SAT on one weight tensor; nothing to learn, nothing to store."""

    record: SatWeights

    def __init__(self, record: SatWeights, shape: Sequence[int]) -> None:
        super().__init__(record, shape)
        self.mode = "Default" if record.mode == "Integer" else record.mode
        half = record.range // 2
        self.steps = half if self.mode in ("Symmetric", "Asymmetric") else record.range
        self.fan = self.shape[0] * math.prod(self.shape[2:])
        self.scales = record.apply_scaling or record.power_of_two
        self.slope = 1.0
        if self.mode == "Asymmetric":
            self.slope = 1.0 + 1.0 / (2 * half)
        elif self.mode == "FullRange" and record.apply_quantization:
            self.slope = 1.0 + 0.9998 / record.range

    @property
    def quantizes(self) -> bool:
        return self.record.apply_quantization

    @property
    def separate(self) -> bool:
        return self.quantizes and self.record.mode == "Integer"

    def forward(self, weights: Tensor) -> Tensor:
        quantized: Tensor = _Quantize.apply(weights, self)
        return quantized

    def split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        codes: Tensor
        scale: Tensor
        codes, scale = _Split.apply(weights, self)
        return codes, scale

    @torch.no_grad()
    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        if not self.quantizes:
            raise ValueError("QWeight.ApplyQuantization=0: clamped weights have no codes")
        codes = self.encode(_normalised(weights)[2])
        scale = float(self.scale(codes)) if self.scales else 1.0 / self.steps
        if self.mode in ("Default", "FullRange"):
            return codes, Grid(scale, -self.steps, self.steps, 2)
        return codes, Grid(scale, -self.steps - (self.mode == "Asymmetric"), self.steps)

    def encode(self, unit: Tensor) -> Tensor:
        """Codes of u, which is overwritten."""
        if self.mode == "Default":
            return unit.add_(1.0).mul_(0.5 * self.steps).round_().mul_(2.0).sub_(self.steps)
        if self.mode == "FullRange":
            # u = 0 is a tie but for the rounding of these constants: in float64, so that it has one answer.
            wide = unit.double().add_(1.0).mul_(0.5 * self.slope).sub_(0.4999 / self.steps)
            return wide.mul_(self.steps).round_().mul_(2.0).sub_(self.steps).to(unit.dtype)
        return self.shift(unit).mul_(self.steps).round_()

    def shift(self, unit: Tensor) -> Tensor:
        """What is rounded in modes Symmetric and Asymmetric, and is the output of the clamp stage; in place."""
        if self.mode == "Asymmetric":
            unit.mul_(self.slope).sub_(1.0 / (2 * self.steps))
        return unit

    def scale(self, codes: Tensor) -> Tensor:
        """The scale of ``codes``, a float32 scalar tensor.

        Sum and sum of squares of integers are exact in float64, so that s is the same in whatever order and by
        however many threads they are added.
        """
        if not self.record.apply_scaling:
            constant = 1.0 / self.steps
            return codes.new_full((), power_above(constant) if self.record.power_of_two else constant)
        wide = codes.double().flatten()
        count = wide.numel()
        spread = torch.dot(wide, wide) - wide.sum().square_() / count
        s_steps = (spread * (self.fan / max(count - 1, 1))).sqrt_()  # s times the number of steps
        scale = torch.where(s_steps > 0, 1.0 / s_steps, 1.0 / self.steps).float()
        return next_power(scale) if self.record.power_of_two else scale


def _normalised(weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(t, M, u), u a new tensor; M is 1 where all weights are 0."""
    hyperbolic = torch.tanh(weights)
    low, high = torch.aminmax(hyperbolic)
    largest = torch.maximum(-low, high)
    largest = torch.where(largest == 0, 1.0, largest)
    return hyperbolic, largest, hyperbolic / largest


class _Quantize(torch.autograd.Function):
    """w -> codes * scale, or the clamp stage."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, quantizer: SatWeightQuantization) -> Tensor:
        hyperbolic, largest, unit = _normalised(weights)
        ctx.slope = quantizer.slope
        if quantizer.quantizes:
            codes = quantizer.encode(unit)
            if quantizer.scales:
                scale = quantizer.scale(codes)
                divisor = largest / (scale * quantizer.steps)
                out = codes.mul_(scale)
            else:
                divisor = largest
                out = codes.mul_(1.0 / quantizer.steps)
        else:
            divisor, out = largest, quantizer.shift(unit)
            if quantizer.record.apply_scaling:
                s = torch.sqrt(torch.var(out) * quantizer.fan)
                s = torch.where(s == 0, 1.0, s)
                divisor, out = largest * s, out.div_(s)
        ctx.save_for_backward(hyperbolic, divisor)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        hyperbolic, divisor = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(gradient, hyperbolic).mul_(ctx.slope / divisor), None


class _Split(torch.autograd.Function):
    """w -> (codes, scale). dL/dcode = dL/dout * scale, hence the steps (and no s) in dL/dw."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, quantizer: SatWeightQuantization) -> tuple[Tensor, Tensor]:
        hyperbolic, largest, unit = _normalised(weights)
        codes = quantizer.encode(unit)
        scale = quantizer.scale(codes)
        ctx.slope = quantizer.slope * quantizer.steps
        ctx.save_for_backward(hyperbolic, largest)
        ctx.mark_non_differentiable(scale)
        return codes, scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, None]:
        hyperbolic, largest = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(gradient, hyperbolic).mul_(ctx.slope / largest), None
