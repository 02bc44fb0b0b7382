"""The activation functions as torch computes them, for float32 in learning and float64 in evaluation.

Each is registered under the name of its record. ``own`` says that the argument is a new tensor that nobody else
needs, so that the function may write into it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from n2d2py.parts import activations as records
from n2d2py.registry import find, name_of, register

Function = Callable[[Tensor, bool], Tensor]
"""(x, own) -> y of the same shape and type."""

_LECUN = 1.7159 * 2.0 / 3.0


def make(record: records.Activation | None) -> Function | None:
    """The function of a record; None stands for y = x."""
    if record is None or is_identity(record):
        return None
    compute = find("function", name_of("activation", type(record)))
    return lambda x, own: compute(record, x, own)


def is_identity(record: records.Activation | None) -> bool:
    """Whether the activation is y = x."""
    return record is None or (isinstance(record, records.Linear) and record.clipping == 0.0)


def is_rectifier(record: records.Activation | None) -> bool:
    """Whether the activation is y = max(x, 0), which keeps codes on their grid."""
    return isinstance(record, records.Rectifier) and record.leak_slope == 0.0 and record.clipping == 0.0


@register("function", "Linear")
def linear(record: records.Linear, x: Tensor, own: bool) -> Tensor:
    """x, or x clamped to [-c, c] for a clipping c that is not 0."""
    return x.clamp(-record.clipping, record.clipping) if record.clipping else x


@register("function", "Rectifier")
def rectifier(record: records.Rectifier, x: Tensor, own: bool) -> Tensor:
    """x above 0 (at most the clipping), slope * x below."""
    if record.clipping:
        clipped: Tensor = _ClippedRectifier.apply(x, record.leak_slope, record.clipping)
        return clipped
    if record.leak_slope:
        return functional.leaky_relu(x, record.leak_slope)
    return torch.relu_(x) if own else torch.relu(x)


@register("function", "Saturation")
def saturation(record: records.Saturation, x: Tensor, own: bool) -> Tensor:
    """x clamped to [-t, t]."""
    return x.clamp(-record.threshold, record.threshold)


@register("function", "Tanh")
def tanh(record: records.Tanh, x: Tensor, own: bool) -> Tensor:
    """tanh(alpha x)."""
    return torch.tanh(x if record.alpha == 1.0 else x * record.alpha)


@register("function", "TanhLeCun")
def tanh_lecun(record: records.TanhLeCun, x: Tensor, own: bool) -> Tensor:
    """tanh(1.7159 * 2/3 * x)."""
    return torch.tanh(x * _LECUN)


@register("function", "Logistic")
def logistic(record: records.Logistic, x: Tensor, own: bool) -> Tensor:
    """1 / (1 + exp(-x))."""
    return torch.sigmoid(x)


@register("function", "LogisticWithLoss")
def logistic_with_loss(record: records.LogisticWithLoss, x: Tensor, own: bool) -> Tensor:
    """1 / (1 + exp(-x)); the gradient passes as if y were x."""
    return pass_gradient(x, torch.sigmoid)


@register("function", "Softplus")
def softplus(record: records.Softplus, x: Tensor, own: bool) -> Tensor:
    """log(1 + exp(alpha x)) / alpha."""
    return functional.softplus(x, record.alpha)


@register("function", "Swish")
def swish(record: records.Swish, x: Tensor, own: bool) -> Tensor:
    """x / (1 + exp(-alpha x))."""
    return functional.silu(x) if record.alpha == 1.0 else x * torch.sigmoid(x * record.alpha)


@register("function", "Softsign")
def softsign(record: records.Softsign, x: Tensor, own: bool) -> Tensor:
    """x / (1 + |x|)."""
    return functional.softsign(x)


@register("function", "HardSwish")
def hard_swish(record: records.HardSwish, x: Tensor, own: bool) -> Tensor:
    """x clamp(x / 6 + 1 / 2, 0, 1)."""
    return functional.hardswish(x)


@register("function", "HardSigmoid")
def hard_sigmoid(record: records.HardSigmoid, x: Tensor, own: bool) -> Tensor:
    """clamp(alpha x + beta, 0, 1)."""
    return (x * record.alpha + record.beta).clamp(0.0, 1.0)


@register("function", "Clamp")
def clamp(record: records.Clamp, x: Tensor, own: bool) -> Tensor:
    """x, at least low and at most high."""
    return x.clamp(*record.bounds) if any(bound is not None for bound in record.bounds) else x


@register("function", "Elu")
def elu(record: records.Elu, x: Tensor, own: bool) -> Tensor:
    """x above 0, alpha (exp(x) - 1) below."""
    return functional.elu(x, record.alpha)


@register("function", "Selu")
def selu(record: records.Selu, x: Tensor, own: bool) -> Tensor:
    """gamma x above 0, gamma alpha (exp(x) - 1) below."""
    return record.gamma * functional.elu(x, record.alpha)


@register("function", "Celu")
def celu(record: records.Celu, x: Tensor, own: bool) -> Tensor:
    """x above 0, alpha (exp(x / alpha) - 1) below."""
    return functional.celu(x, record.alpha)


@register("function", "Gelu")
def gelu(record: records.Gelu, x: Tensor, own: bool) -> Tensor:
    """x times the normal distribution function of x."""
    return functional.gelu(x, approximate=record.approximate.lower())


@register("function", "Mish")
def mish(record: records.Mish, x: Tensor, own: bool) -> Tensor:
    """x tanh(log(1 + exp(x)))."""
    return functional.mish(x)


def pass_gradient(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """function(x), with the gradient of the identity: the error y - t of a target reaches x as it is.

    With the squared error 1/2 (y - t)^2 the gradient of x is then that of the cross-entropy.
    """
    passed: Tensor = _Passed.apply(x, function)
    return passed


class _Passed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        return function(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _ClippedRectifier(torch.autograd.Function):
    """N2D2 gives the slope of the negative side also to what lies above the clipping."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float, clipping: float) -> Tensor:
        ctx.slope = slope
        ctx.save_for_backward((x > 0) & (x < clipping))
        return torch.where(x > 0, x.clamp_max(clipping), x * slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        return torch.where(inside, gradient, gradient * ctx.slope), None, None
