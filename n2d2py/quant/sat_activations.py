"""CG-PACT, the activation quantizer of SAT (Jin, Yang and Liao 2019, arXiv:1912.10207, section 3.3).

With a = |alpha|, y = q a / R, q = rint(clamp(x, 0, a) R / a), rint rounding half to even. Its gradients are

    dL/dx = g [0 < x <= a]
    dL/dalpha = sum of g h, h = 1 if x >= a, else q/R - x/a for x > 0, else 0

h is the calibrated gradient; PACT (Choi et al. 2018) has 0 in place of q/R - x/a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from n2d2py.parts.dorefa import PactActivations
from n2d2py.parts.quantizers import SatActivations
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.power import next_power
from n2d2py.quant.rules import CodeRule, Ruled, dot
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import register

_SMALLEST = 1e-12
"""What alpha counts as if learning has brought it to 0: the quotients stay finite."""


@register("activation quantization", "PACT")
@register("activation quantization", "SAT")
class SatActivationQuantization(ActivationQuantization):
    """CG-PACT with a learned clipping value ``alpha`` (a scalar; its sign has no meaning)."""

    record: SatActivations

    def __init__(self, record: SatActivations) -> None:
        super().__init__(record)
        self.alpha = nn.Parameter(torch.tensor(float(record.alpha)))
        self.calibrated = not isinstance(record, PactActivations)

    def forward(self, values: Tensor) -> Tensor:
        quantized: Tensor = _Clip.apply(values, self._clipping(), self.record.range, self.calibrated)
        return quantized

    def ruled(self, count: int) -> Ruled:
        return Ruled(ClipRule(self.record.range, self.calibrated), self._clipping())

    def split(self, values: Tensor) -> Scaled:
        codes, scale = _Split.apply(values, self._clipping(), self.record.range, self.calibrated)
        return Scaled(codes, scale, self.record.range)

    @property
    def span(self) -> tuple[int, int]:
        return 0, self.record.range

    def grid(self) -> Grid:
        return Grid(self._clip() / self.record.range, 0, self.record.range)

    def codes(self, real: Tensor) -> Tensor:
        clip = self._clip()
        return real.clamp(0.0, clip).mul_(self.record.range / clip).round_()

    def nearest(self, scaled: Tensor) -> Tensor:
        return scaled.clamp(0.0, float(self.record.range)).round_()

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        return [(f"QAct_{'SAT' if self.calibrated else 'PACT'}_Alpha", self.alpha)]

    @torch.no_grad()
    def fill(self) -> None:
        self.alpha.fill_(self.record.alpha)

    def _clipping(self) -> Tensor:
        """The clipping value; with PowerOfTwo=1 as many steps as before, each rounded up to a power of two."""
        if not self.record.power_of_two:
            return self.alpha
        steps = self.record.range
        return next_power(self.alpha.abs().clamp_min(_SMALLEST) / steps) * steps

    def _clip(self) -> float:
        return max(abs(float(self._clipping().detach())), _SMALLEST)


@dataclass(frozen=True)
class ClipRule(CodeRule):
    """Codes 0 .. ``steps``; the parameter is alpha."""

    steps: int
    calibrated: bool = True
    low = 0

    @property
    def high(self) -> int:  # type: ignore[override]  # what ``steps`` says
        return self.steps

    def unit(self, parameter: Tensor) -> Tensor:
        return parameter.abs().clamp_min(_SMALLEST) / self.steps

    def per_unit(self, parameter: Tensor) -> Tensor:
        return self.steps / parameter.abs().clamp_min(_SMALLEST)

    def codes(self, scaled: Tensor) -> Tensor:
        return scaled.clamp_(0.0, float(self.steps)).round_()

    def gradients(self, gradient: Tensor, scaled: Tensor, out: Tensor, parameter: Tensor) -> tuple[Tensor, Tensor]:
        steps = float(self.steps)
        if not self.calibrated:
            return _plain_gradients(gradient, scaled, parameter, steps)
        # As _gradients, but that a value which a shared pass puts exactly on alpha counts as one below it in h: telling
        # it apart takes one pass over memory more.
        inner = torch.ops.aten.hardtanh_backward(gradient, scaled, 0.0, _above(steps, scaled))
        slope = (dot(gradient, out) * self.per_unit(parameter) - dot(inner, scaled)) / steps
        return inner, torch.where(parameter < 0, -slope, slope)


class _Clip(torch.autograd.Function):
    """The forward pass takes one new tensor for z = x R / a and one for y, and works in place on the latter.

    In units of codes all bounds are constants, so nothing waits for the value of alpha. y is homogeneous of degree
    1 in (x, a), so Euler's theorem gives, for every element, y = x dy/dx + a h; summed with the gradients g,
    a dL/dalpha = <g, y> - <g [0 < x < a], x>: two dot products in place of the elements of h.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, alpha: Tensor, steps: int, calibrated: bool) -> Tensor:
        scaled, codes, step = _encoded(values, alpha, steps)
        out = codes.mul_(step)
        ctx.steps, ctx.calibrated = float(steps), calibrated
        ctx.save_for_backward(scaled, out, step, alpha)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        scaled, out, step, alpha = ctx.saved_tensors
        if not ctx.calibrated:
            return *_plain_gradients(gradient, scaled, alpha, ctx.steps), None, None
        return *_gradients(gradient, scaled, dot(gradient, out) / step, alpha, ctx.steps), None, None


class _Split(torch.autograd.Function):
    """(x, a) -> (codes, scale). dL/dcode = dL/dy * scale, hence g = dL/dcode / scale."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, alpha: Tensor, steps: int, calibrated: bool) -> tuple[Tensor, Tensor]:
        scaled, codes, step = _encoded(values, alpha, steps)
        ctx.steps, ctx.calibrated = float(steps), calibrated
        ctx.save_for_backward(scaled, codes, step, alpha)
        ctx.mark_non_differentiable(step)
        return codes, step

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, Tensor, None, None]:
        scaled, codes, step, alpha = ctx.saved_tensors
        if not ctx.calibrated:
            return *_plain_gradients(gradient / step, scaled, alpha, ctx.steps), None, None
        total = dot(gradient, codes) / step
        return *_gradients(gradient / step, scaled, total, alpha, ctx.steps), None, None


def _encoded(values: Tensor, alpha: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """(z = x R / a, codes, scale a / R)."""
    clip = alpha.abs().clamp_min_(_SMALLEST)
    scaled = values * (steps / clip)
    return scaled, scaled.clamp(0.0, float(steps)).round_(), clip / steps


def _gradients(gradient: Tensor, scaled: Tensor, total: Tensor, alpha: Tensor, steps: float) -> tuple[Tensor, Tensor]:
    """(dL/dx, dL/dalpha) of g; ``total`` is <g, y> in units of the scale."""
    # hardtanh_backward passes what lies strictly between its bounds. At x = a, dx is 1 and h is 1 as well, so
    # that x = a belongs to the gradient of x and not to the difference that gives h.
    # The one is gone before the other comes: in the backward pass memory is scarcest.
    difference = dot(torch.ops.aten.hardtanh_backward(gradient, scaled, 0.0, steps), scaled)
    inner = torch.ops.aten.hardtanh_backward(gradient, scaled, 0.0, _above(steps, scaled))
    slope = (total - difference).div_(steps)
    return inner, torch.where(alpha < 0, -slope, slope)


def _above(steps: float, scaled: Tensor) -> float:
    """The next real number: hardtanh_backward passes what lies strictly between its bounds."""
    return steps * (1 + torch.finfo(scaled.dtype).eps)


def _plain_gradients(gradient: Tensor, scaled: Tensor, alpha: Tensor, steps: float) -> tuple[Tensor, Tensor]:
    """As :func:`_gradients`, h being 1 for clipped values and 0 for all others."""
    inner = torch.ops.aten.hardtanh_backward(gradient, scaled, 0.0, steps)
    slope = torch.where(scaled >= steps, gradient, 0.0).sum()
    return inner, torch.where(alpha < 0, -slope, slope)
