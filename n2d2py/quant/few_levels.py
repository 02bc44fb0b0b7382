"""Binary and ternary values, and other given levels of a given scale: a clamped straight-through gradient.

    y = s code,  dL/dx = g [low <= x <= high],  dL/ds = G sum of g code,  G = 1 / sqrt(N)

The code is sign(x), sign(0) = +1, or rint(x / s) clamped to -1 .. 1 (0 for |x| <= s / 2), or, for ternary weights of
mean scale (Li, Zhang and Liu 2016, arXiv:1605.04711, equations 3 and 6), sign(w) where |w| > t mean|w|, else 0, with
s the mean of the |w| above it. For binary weights the mean scale is mean|w| (Rastegari et al. 2016,
arXiv:1603.05279, equation 6). A mean scale is a constant to the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from n2d2py.parts.binary import FewActivations, FewWeights, TernaryWeights
from n2d2py.parts.dorefa import DoReFaActivations
from n2d2py.parts.quantizers import power_above
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels
from n2d2py.quant.power import next_power
from n2d2py.quant.scaled import Scaled
from n2d2py.quant.steps import SMALLEST
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register

Bounds = tuple[float, float]
"""Between which values the gradient passes."""


@register("weight quantization", "Ternary")
@register("weight quantization", "Binary")
class FewWeightLevels(WeightQuantization):
    """Binary or ternary weights of one tensor."""

    record: FewWeights

    def __init__(self, record: FewWeights, shape: Sequence[int]) -> None:
        super().__init__(record, shape)
        self.levels = Levels(record.codes)
        self.factor = 1 / math.sqrt(math.prod(self.shape))
        self.scale = nn.Parameter(torch.tensor(record.scale_value)) if record.scale == "Learned" else None

    def forward(self, weights: Tensor) -> Tensor:
        codes, scale = self._encoded(weights)
        quantized: Tensor = _Multiply.apply(weights, codes, scale, self.record.passes, self.factor)
        return quantized

    @torch.no_grad()
    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        codes, scale = self._encoded(weights)
        return codes, self.levels.grid(float(scale))

    @torch.no_grad()
    def still(self, weights: Tensor) -> Tensor | None:
        low, high = self.record.passes
        return (weights < low) | (weights > high)

    @property
    def stirred_by(self) -> str:
        return "a larger QWeight.Clip"

    def _encoded(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """(codes without gradient, scale)."""
        values = weights.detach()
        if self.record.scale != "Mean":
            scale = values.new_full((), self.record.scale_value) if self.scale is None else self.scale.abs()
            scale = self._rounded(scale.clamp_min(SMALLEST))
            return self.levels.nearest(values / scale.detach()), scale
        magnitudes = values.abs()
        total = magnitudes.sum(dtype=torch.float64)
        if not isinstance(self.record, TernaryWeights):
            return self.levels.nearest(values), self._rounded(_mean(total, values.numel(), values))
        large = magnitudes > self.record.threshold * (total / values.numel())
        total = magnitudes.mul_(large).sum(dtype=torch.float64)
        return values.sign().mul_(large), self._rounded(_mean(total, large.sum().clamp_min(1), values))

    def _rounded(self, scale: Tensor) -> Tensor:
        return next_power(scale) if self.record.power_of_two else scale

    def fill(self) -> None:
        if self.scale is not None:
            with torch.no_grad():
                self.scale.fill_(self.record.scale_value)

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        return [] if self.scale is None else [("QWeight_Scale", self.scale)]


@register("activation quantization", "DoReFa")
@register("activation quantization", "Ternary")
@register("activation quantization", "Binary")
class FixedLevels(ActivationQuantization):
    """Activations on given levels of a constant scale."""

    record: FewActivations | DoReFaActivations
    constant: Tensor

    def __init__(self, record: FewActivations | DoReFaActivations) -> None:
        super().__init__(record)
        self.levels = Levels(record.codes)
        self.scale = power_above(record.scale_value) if record.power_of_two else record.scale_value
        self.register_buffer("constant", torch.tensor(self.scale), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        quantized: Tensor = _Encode.apply(values, self.levels, self.constant, self.record.passes, True)
        return quantized

    def split(self, values: Tensor) -> Scaled:
        codes: Tensor = _Encode.apply(values, self.levels, self.constant, self.record.passes, False)
        return Scaled(codes, self.constant, self.levels.magnitude)

    @property
    def span(self) -> tuple[int, int]:
        return self.levels.low, self.levels.high

    def grid(self) -> Grid:
        return self.levels.grid(self.scale)

    def codes(self, real: Tensor) -> Tensor:
        return self.levels.nearest(real / self.scale)

    def nearest(self, scaled: Tensor) -> Tensor:
        return self.levels.nearest(scaled)


def _passing(gradient: Tensor, values: Tensor, passes: Bounds) -> Tensor:
    """``gradient`` where ``values`` lie between the bounds or on one of them, else 0."""
    # hardtanh_backward passes what lies strictly between its bounds.
    bounds = torch.tensor(passes, dtype=values.dtype)
    low, high = torch.nextafter(bounds, torch.tensor((-math.inf, math.inf), dtype=values.dtype)).tolist()
    return torch.ops.aten.hardtanh_backward(gradient, values, low, high)


def _mean(total: Tensor, count: Tensor | int, values: Tensor) -> Tensor:
    """total / count as the type of ``values``; 1 if it is 0."""
    mean = total / count
    return torch.where(mean > 0, mean, 1.0).to(values.dtype)


class _Multiply(torch.autograd.Function):
    """(w, codes, s) -> codes * s."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, codes: Tensor, scale: Tensor, passes: Bounds, factor: float) -> Tensor:
        ctx.passes, ctx.factor = passes, factor
        ctx.save_for_backward(weights, codes)
        return codes * scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, Tensor | None, None, None]:
        weights, codes = ctx.saved_tensors
        slope = torch.dot(gradient.reshape(-1), codes.reshape(-1)) * ctx.factor if ctx.needs_input_grad[2] else None
        return _passing(gradient, weights, ctx.passes), None, slope, None, None


class _Encode(torch.autograd.Function):
    """x -> codes of constant scale s, or codes * s. dL/dcode = dL/dy * s, hence dL/dx = dL/dcode / s."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, levels: Levels, scale: Tensor, passes: Bounds, multiply: bool) -> Tensor:
        ctx.passes, ctx.multiply = passes, multiply
        ctx.save_for_backward(values, scale)
        codes = levels.nearest(values / scale)
        return codes.mul_(scale) if multiply else codes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        values, scale = ctx.saved_tensors
        inside = _passing(gradient, values, ctx.passes)
        return inside if ctx.multiply else inside / scale, None, None, None, None
