"""Learned steps (LSQ; Esser et al. 2019, "Learned step size quantization", arXiv:1902.08153, equations 1 to 5).

With levels Q_n .. Q_p (or any :class:`~n2d2py.quant.levels.Levels`) and v = x / s,

    y = s code,  code = the level nearest to v
    dL/dx = g [Q_n < v < Q_p]
    dL/ds = G sum of g h,  h = code where v <= Q_n or v >= Q_p, else code - v,  G = 1 / sqrt(N Q_p)

N is the number of values, Q_p the largest level. By magnitude (MAD; Sakr et al. 2022, "Optimal clipping and
magnitude-aware differentiation", arXiv:2206.06501), what lies outside of the levels learns too:

    dL/dx = g Q / v where v < Q = Q_n or v > Q = Q_p
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from n2d2py.quant.initial import of_least_error, of_magnitude
from n2d2py.quant.levels import Levels
from n2d2py.quant.power import next_power
from n2d2py.quant.rules import CodeRule, Ruled, dot

SMALLEST = 1e-12
"""What a step counts as if learning has brought it to 0: the quotients stay finite."""


class LearnedStep(nn.Module):
    """The step of a quantizer: a positive scalar that learns, and its initial value.

    The parameter is 0 until it gets a value: from a weight file, or from the first tensor that is quantized
    (:mod:`~n2d2py.quant.initial`), by its magnitude or, with ``least_error``, by its error. With ``power_of_two`` the
    step in use is 2^ceil(log2 s), straight through the ceiling. ``rate_factor`` multiplies its gradient.
    ``by_magnitude``: values outside of the levels get a gradient, too.
    """

    def __init__(
        self,
        levels: Levels,
        initial: float | None,
        *,
        power_of_two: bool = False,
        rate_factor: float = 1.0,
        by_magnitude: bool = False,
    ) -> None:
        super().__init__()
        self.levels = levels
        self.initial = initial
        self.power_of_two = power_of_two
        self.rate_factor = rate_factor
        self.toward_zero = False
        """Whether values are rounded to the level toward 0, and not to the nearest; for levels without gaps."""
        self.by_magnitude = by_magnitude
        self.least_error = False
        """Whether the first tensor gives the step of the least squared error."""
        self.value = nn.Parameter(torch.tensor(0.0))
        self._known = False
        self.fill()

    @torch.no_grad()
    def fill(self) -> None:
        """Back to the initial value, which the first tensor gives if there is no other."""
        self.value.fill_(self.initial or 0.0)
        self._known = self.initial is not None

    def get_extra_state(self) -> Tensor:
        """Whether there is a value, for checkpoints: learning may have brought it to 0."""
        return torch.tensor(self._known)

    def set_extra_state(self, state: Tensor) -> None:
        """What :meth:`get_extra_state` gave."""
        self._known = bool(state)

    @property
    def known(self) -> bool:
        """Whether the step has a value; one that a weight file gave counts."""
        if not self._known:
            self._known = float(self.value.detach()) != 0.0
        return self._known

    @torch.no_grad()
    def prepare(self, values: Tensor) -> None:
        """Take the initial value from ``values`` unless there is one."""
        if self.known:
            return
        if self.least_error:
            self.begin(of_least_error(values.detach(), self.levels, self._way(values).codes))
        else:
            self.begin(of_magnitude(values.detach(), self.levels))

    @torch.no_grad()
    def begin(self, step: float) -> None:
        """Begin with ``step``, or with 1 if that is no step."""
        self.value.fill_(step if step > 0 and math.isfinite(step) else 1.0)
        self._known = True

    def in_use(self) -> Tensor:
        """The step that quantizes, a scalar tensor with its gradient."""
        step = self.value.abs().clamp_min(SMALLEST)
        if self.power_of_two:
            step = next_power(step)
        return step

    def number(self) -> float:
        """The step that quantizes. Raises ValueError if there is none yet."""
        if not self.known:
            raise ValueError("the step has no value yet: nothing was learned, loaded or quantized")
        return float(self.in_use().detach())

    def quantize(self, values: Tensor) -> Tensor:
        """``values`` on the grid, with the gradients above."""
        self.prepare(values)
        quantized: Tensor = _Quantize.apply(values, self.in_use(), self._way(values))
        return quantized

    def split(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """(codes, step): dL/dcode = dL/dy * step; the product is bit for bit what :meth:`quantize` gives."""
        self.prepare(values)
        codes, step = _Split.apply(values, self.in_use(), self._way(values))
        return codes, step

    @torch.no_grad()
    def codes(self, values: Tensor) -> Tensor:
        """The codes of ``values``."""
        self.prepare(values)
        return self._way(values).codes(values / self.in_use())

    def beyond(self, values: Tensor) -> Tensor:
        """Which values lie on or beyond the outermost levels."""
        self.prepare(values)
        scaled = values / self.in_use()
        return (scaled <= self.levels.low) | (scaled >= self.levels.high)

    def ruled(self, count: int) -> Ruled:
        """The rule by which ``count`` values are quantized, once the step has a value."""
        return Ruled(StepRule.of(self.levels), self.in_use(), self._factor(count))

    def _way(self, values: Tensor) -> _Way:
        return _Way(self.levels, self._factor(values.numel()), self.toward_zero, self.by_magnitude)

    def _factor(self, count: int) -> float:
        return self.rate_factor / math.sqrt(count * max(1, self.levels.high))


@dataclass(frozen=True)
class StepRule(CodeRule):
    """The level nearest to v / s; the parameter is s, and what comes back to it is not yet multiplied by G.

    The levels are all integers from ``low`` to ``high``, or the ``uneven`` ones.
    """

    low: int
    high: int
    uneven: Levels | None = None

    @classmethod
    def of(cls, levels: Levels) -> StepRule:
        """The rule of these levels."""
        return cls(levels.low, levels.high, None if levels.even else levels)

    @property
    def compiles(self) -> bool:  # type: ignore[override]  # of a table, a compiler makes nothing
        return self.uneven is None

    def unit(self, parameter: Tensor) -> Tensor:
        return parameter.detach()

    def per_unit(self, parameter: Tensor) -> Tensor:
        return parameter.detach().reciprocal()

    def codes(self, scaled: Tensor) -> Tensor:
        return scaled.clamp_(self.low, self.high).round_() if self.uneven is None else self.uneven.nearest(scaled)

    def gradients(self, gradient: Tensor, scaled: Tensor, out: Tensor, parameter: Tensor) -> tuple[Tensor, Tensor]:
        inside = torch.ops.aten.hardtanh_backward(gradient, scaled, self.low, self.high)
        return inside, dot(gradient, out) / parameter - dot(inside, scaled)


@dataclass(frozen=True)
class _Way:
    """How a tensor is quantized, and how its gradient comes back; ``factor`` is G."""

    levels: Levels
    factor: float
    toward_zero: bool
    by_magnitude: bool

    def codes(self, scaled: Tensor) -> Tensor:
        """The codes of x / s."""
        return self.levels.nearest(scaled.trunc() if self.toward_zero else scaled)

    def inside(self, gradient: Tensor, scaled: Tensor) -> Tensor:
        """``gradient`` strictly between the outermost levels, else 0."""
        return torch.ops.aten.hardtanh_backward(gradient, scaled, self.levels.low, self.levels.high)

    def to_values(self, gradient: Tensor, scaled: Tensor, inside: Tensor) -> Tensor:
        """The gradient of the values."""
        if not self.by_magnitude:
            return inside
        clamped = scaled.clamp(self.levels.low, self.levels.high)
        return gradient * torch.where(clamped == scaled, 1.0, (clamped / scaled).clamp_(0, 1))


class _Quantize(torch.autograd.Function):
    """x -> code * s. With y = s code, sum of g h = <g, y> / s - <g [Q_n < v < Q_p], v>: two dot products."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, step: Tensor, way: _Way) -> Tensor:
        scaled = values / step
        out = way.codes(scaled).mul_(step)
        ctx.way = way
        ctx.save_for_backward(scaled, out, step)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        scaled, out, step = ctx.saved_tensors
        way = ctx.way
        inside, slope = StepRule.of(way.levels).gradients(gradient, scaled, out, step)
        return way.to_values(gradient, scaled, inside), slope * way.factor, None


class _Split(torch.autograd.Function):
    """x -> (code, s)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, step: Tensor, way: _Way) -> tuple[Tensor, Tensor]:
        scaled = values / step
        codes = way.codes(scaled)
        ctx.way = way
        step = step.clone()
        ctx.save_for_backward(scaled, codes, step)
        ctx.mark_non_differentiable(step)
        return codes, step

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, Tensor, None]:
        scaled, codes, step = ctx.saved_tensors
        way = ctx.way
        outer = gradient / step
        inside = way.inside(outer, scaled)
        slope = (dot(outer, codes) - dot(inside, scaled)) * way.factor
        return way.to_values(outer, scaled, inside), slope, None
