"""Rules: how a real value becomes its output and how the gradient comes back, as functions of tensors alone.

A rule knows nothing of modules and keeps no state, so that the passes around it can be shared: what comes before it
(a BatchNorm, a sum) is computed again in the backward pass in place of being kept, and a compiler can make one loop
of all of it (:mod:`n2d2py.layers.passes`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.quant.layouts import layout_of, line

_HALF_CODES = 128
"""Up to here codes stay apart in bfloat16 whatever their unit is: its numbers near v are at most v / 128 apart."""


class Rule:
    """y = apply(v, parameter), its parameter being a learned scalar, or None if nothing is learned."""

    compiles: bool = True
    """Whether a compiler can take it."""
    needs_value: bool = True
    """Whether the gradient needs v; the output alone is enough otherwise."""
    needs_output: bool = True
    """Whether the gradient needs y."""

    @property
    def fits_half(self) -> bool:
        """Whether bfloat16 tells all outputs apart that float32 does, as far as they are meant to be told apart."""
        return True

    def apply(self, values: Tensor, parameter: Tensor | None) -> Tensor:
        """The output, a new tensor."""
        raise NotImplementedError

    def back(
        self, gradient: Tensor, values: Tensor, out: Tensor | None, parameter: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(dL/dv, dL/dparameter) of dL/dy; ``values`` is v, or y where v is not needed.

        ``out`` is y. None, where y is needed: it is computed again from v.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Straight(Rule):
    """y = v."""

    needs_value = False
    needs_output = False

    def apply(self, values: Tensor, parameter: Tensor | None) -> Tensor:
        return values

    def back(
        self, gradient: Tensor, values: Tensor, out: Tensor | None, parameter: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        return gradient, None


@dataclass(frozen=True)
class Rectified(Rule):
    """y = max(v, 0)."""

    needs_value = False

    def apply(self, values: Tensor, parameter: Tensor | None) -> Tensor:
        return values.clamp_min(0.0)

    def back(
        self, gradient: Tensor, values: Tensor, out: Tensor | None, parameter: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        return torch.where((values if out is None else out) > 0, gradient, 0.0), None


class CodeRule(Rule):
    """y = code * unit, the code being a function of z = v / unit.

    ``low`` is the lowest code, ``high`` the highest one.
    """

    low: int
    high: int

    @property
    def fits_half(self) -> bool:
        return max(-self.low, self.high) <= _HALF_CODES

    def unit(self, parameter: Tensor) -> Tensor:
        """What one code is worth, a scalar tensor without gradient."""
        raise NotImplementedError

    def per_unit(self, parameter: Tensor) -> Tensor:
        """1 / unit."""
        raise NotImplementedError

    def codes(self, scaled: Tensor) -> Tensor:
        """The codes of z, which is overwritten."""
        raise NotImplementedError

    def gradients(self, gradient: Tensor, scaled: Tensor, out: Tensor, parameter: Tensor) -> tuple[Tensor, Tensor]:
        """(dL/dv, dL/dparameter) of dL/dy, ``scaled`` being z."""
        raise NotImplementedError

    def apply(self, values: Tensor, parameter: Tensor | None) -> Tensor:
        assert parameter is not None  # codes have a unit
        return self.codes(values * self.per_unit(parameter)).mul_(self.unit(parameter))

    def back(
        self, gradient: Tensor, values: Tensor, out: Tensor | None, parameter: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        assert parameter is not None  # codes have a unit
        scaled = values * self.per_unit(parameter)
        if out is None:
            out = self.codes(scaled.clone()).mul_(self.unit(parameter))
        return self.gradients(gradient, scaled, out, parameter)


@dataclass(frozen=True)
class Ruled:
    """The rule of a quantizer as it is now: its parameter with its gradient, which is multiplied by ``factor``.

    >>> Ruled(Rectified()).factor
    1.0
    """

    rule: Rule
    parameter: Tensor | None = None
    factor: float = 1.0


def dot(left: Tensor, right: Tensor) -> Tensor:
    """The sum of the products of dense tensors of one shape."""
    if layout_of(left) is not layout_of(right):
        right = right.contiguous(memory_format=layout_of(left))
    return torch.dot(line(left), line(right))
