"""LSQ+: a learned step with a learned offset (Bhalgat et al. 2020, arXiv:2004.09576, equations 1 to 6).

The offset is a whole number of steps here, so that codes stay integers times the step: with z = rint(beta / s) and
v = x / s,

    y = s code,  code = rint(v) clamped to Q_n + z .. Q_p + z
    dL/dx    = g [Q_n + z < v < Q_p + z]
    dL/ds    = G sum of g h,  h = Q_n or Q_p where v is outside, else code - v,  G = 1 / sqrt(N Q_p)
    dL/dbeta = G sum of g [v is outside]

The gradients are those of the paper, straight through the rounding of beta / s. The first batch gives
s = (b - a) / (Q_p - Q_n) and beta = a - Q_n s, a and b its ends, of which nothing beyond mean +- 3 deviations counts.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from n2d2py.quant.levels import Levels
from n2d2py.quant.steps import LearnedStep

_DEVIATIONS = 3.0
_FARTHEST = 1 << 20
"""Largest |z|: beyond it float32 would not hold all codes of 8 bits and more."""


class OffsetStep(LearnedStep):
    """A learned step whose ``levels`` are shifted by ``zero()`` steps; ``offset`` is beta."""

    def __init__(
        self, levels: Levels, initial: float | None, *, power_of_two: bool = False, rate_factor: float = 1.0
    ) -> None:
        super().__init__(levels, initial, power_of_two=power_of_two, rate_factor=rate_factor)
        self.offset = nn.Parameter(torch.tensor(0.0))

    @torch.no_grad()
    def fill(self) -> None:
        super().fill()
        if hasattr(self, "offset"):
            self.offset.fill_(0.0)

    @torch.no_grad()
    def prepare(self, values: Tensor) -> None:
        if self.known:
            return
        wide = values.detach().double()
        mean, deviation = wide.mean(), wide.std(correction=0) * _DEVIATIONS
        low, high = torch.maximum(wide.min(), mean - deviation), torch.minimum(wide.max(), mean + deviation)
        step = float(high - low) / (self.levels.high - self.levels.low)
        if not 0 < step < float("inf"):
            super().prepare(values)
            return
        self.begin(step)
        self.offset.fill_(float(low) - self.levels.low * self.number())

    @torch.no_grad()
    def zero(self) -> int:
        """z, the integer by which the levels are shifted."""
        return int(self._zero(self.in_use()))

    def shifted(self) -> Levels:
        """The levels as they are now."""
        return self.levels.shifted(self.zero())

    def _zero(self, step: Tensor) -> Tensor:
        return (self.offset.detach() / step.detach()).round_().clamp_(-_FARTHEST, _FARTHEST)

    def quantize(self, values: Tensor) -> Tensor:
        self.prepare(values)
        step = self.in_use()
        shifted: Tensor = _Shifted.apply(
            values, step, self.offset, self._zero(step), self.levels, self._factor(values.numel()), True
        )
        return shifted

    def split(self, values: Tensor) -> tuple[Tensor, Tensor]:
        self.prepare(values)
        step = self.in_use()
        codes: Tensor = _Shifted.apply(
            values, step, self.offset, self._zero(step), self.levels, self._factor(values.numel()), False
        )
        return codes, step.detach()


class _Shifted(torch.autograd.Function):
    """(x, s, beta) -> code, or code * s (``multiply``); dL/dcode = dL/dy * s."""

    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        step: Tensor,
        offset: Tensor,
        zero: Tensor,
        levels: Levels,
        factor: float,
        multiply: bool,
    ) -> Tensor:
        scaled = values / step
        codes = scaled.round().sub_(zero).clamp_(levels.low, levels.high).add_(zero)
        out = codes.mul_(step) if multiply else codes
        ctx.levels, ctx.factor, ctx.multiply = levels, factor, multiply
        ctx.save_for_backward(scaled.sub_(zero), out, step, zero)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None, None]:
        scaled, out, step, zero = ctx.saved_tensors
        outer = gradient if ctx.multiply else gradient / step
        inside = torch.ops.aten.hardtanh_backward(outer, scaled, ctx.levels.low, ctx.levels.high)
        whole, total = torch.dot(outer.reshape(-1), out.reshape(-1)), outer.sum()
        if ctx.multiply:
            whole = whole / step
        slope = whole - zero * total - torch.dot(inside.reshape(-1), scaled.reshape(-1))
        return inside, slope * ctx.factor, (total - inside.sum()) * ctx.factor, None, None, None, None
