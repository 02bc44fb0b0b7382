"""Scales that are powers of two: a product with one is a shift.

    p = 2^ceil(log2 s),  dp/ds = p / s

which is the derivative of 2^(log2 s), straight through the ceiling (Jain et al. 2019, "Trained quantization
thresholds", arXiv:1903.08066).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def next_power(step: Tensor) -> Tensor:
    """The least powers of two that are not below positive values, with the gradient above."""
    power: Tensor = _Power.apply(step)
    return power


class _Power(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, step: Tensor) -> Tensor:
        mantissa, exponent = torch.frexp(step)  # step = mantissa * 2^exponent, mantissa in [1/2, 1)
        power = torch.ldexp(torch.ones_like(step), exponent - (mantissa == 0.5).to(exponent.dtype))
        ctx.save_for_backward(power / step)
        return power

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return gradient * slope
