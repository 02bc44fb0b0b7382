"""Passes over activations that several steps share: BatchNorm or a sum, then the rule of what comes after it.

What torch's own functions do one after the other, each reading and writing the whole tensor, is here one function of
autograd. Its backward pass computes the value before the rule again from what is kept anyway, so that a quantized
network keeps no more than a float one: the input of the BatchNorm, and the output where something follows.

Each pass exists twice with the same formulas: of torch's operations, and, with ``compiled``, as one loop that
torch.compile makes of :mod:`plain expressions <n2d2py.layers.loops>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from n2d2py.layers import loops
from n2d2py.quant.layouts import as_shaped, flat, layout_of
from n2d2py.quant.rules import CodeRule, Rule, Ruled


@dataclass(frozen=True)
class Statistics:
    """What a BatchNorm moves while it learns, and how fast: running means and variances (channels), in place."""

    means: Tensor
    variances: Tensor
    momentum: float
    epsilon: float


def fits(x: Tensor) -> bool:
    """Whether ``x`` (batch, channels, ...) is one that the passes here take."""
    dense = x.is_contiguous() or layout_of(x) is torch.channels_last
    return x.dtype == torch.float32 and x.dim() > 2 and dense and min(x.shape[0], x[0, 0].numel()) > 1


def normalised(
    x: Tensor, scales: Tensor, biases: Tensor, statistics: Statistics, ruled: Ruled, compiled: bool
) -> Tensor:
    """``ruled.rule`` of the BatchNorm of x (batch, channels, ...) by the statistics of the batch.

    Without ``compiled`` only for a :class:`~n2d2py.quant.rules.CodeRule`.
    """
    rule, parameter = ruled.rule, ruled.parameter
    out: Tensor = _Normalised.apply(x, scales, biases, parameter, statistics, rule, ruled.factor, compiled)
    return out


def summed(values: list[Tensor], ruled: Ruled) -> Tensor:
    """``ruled.rule`` of the sum of tensors of one shape, compiled."""
    out: Tensor = _Summed.apply(ruled.rule, ruled.factor, ruled.parameter, *values)
    return out


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        scales: Tensor,
        biases: Tensor,
        parameter: Tensor | None,
        statistics: Statistics,
        rule: Rule,
        factor: float,
        compiled: bool,
    ) -> Tensor:
        ctx.rule, ctx.factor, ctx.compiled, ctx.epsilon = rule, factor, compiled, statistics.epsilon
        if compiled:
            given = (scales.detach(), biases.detach(), None if parameter is None else parameter.detach())
            out, mean, variance, inverse = loops.normalise(flat(x), *given, statistics.epsilon, rule)
            out = as_shaped(out, x)
            with torch.no_grad():
                count = x.numel() // x.shape[1]
                statistics.means.lerp_(mean, statistics.momentum)
                statistics.variances.lerp_(variance * (count / (count - 1)), statistics.momentum)
        else:
            assert isinstance(rule, CodeRule)
            assert parameter is not None
            running = (statistics.means, statistics.variances)
            per_unit = rule.per_unit(parameter)
            scaled, mean, inverse = torch.native_batch_norm(
                x, scales * per_unit, biases * per_unit, *running, True, statistics.momentum, statistics.epsilon
            )
            out = rule.codes(scaled).mul_(rule.unit(parameter))
        ctx.save_for_backward(x, out if rule.needs_output else None, mean, inverse, scales, biases, parameter)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, out, mean, inverse, scales, biases, parameter = ctx.saved_tensors
        ctx.maybe_clear_saved_tensors()  # so that the output is gone as soon as nobody needs it
        rule = ctx.rule
        gradient = gradient.contiguous(memory_format=layout_of(x))
        if ctx.compiled:
            given = (scales.detach(), biases.detach(), None if parameter is None else parameter.detach())
            dx, dscales, dbiases, slope = loops.normalise_back(
                flat(gradient), flat(x), flat(x if out is None else out), mean, inverse, *given, rule
            )
            dx = as_shaped(dx, x)
        else:
            per_unit = rule.per_unit(parameter)
            # With an epsilon of 0 and this variance, torch's normalisation takes the very mean and deviation again.
            scaled, _, _ = torch.native_batch_norm(
                x, scales * per_unit, biases * per_unit, mean, inverse.pow(-2), False, 0.0, 0.0
            )
            inner, slope = rule.gradients(gradient, scaled, out, parameter)
            del scaled, out
            dx, dscales, dbiases = torch.ops.aten.native_batch_norm_backward(
                inner, x, scales, None, None, mean, inverse, True, ctx.epsilon, [ctx.needs_input_grad[0], True, True]
            )
        slope = None if slope is None else slope * ctx.factor
        return dx, dscales, dbiases, slope, None, None, None, None


class _Summed(torch.autograd.Function):
    """Rules whose gradient needs only the output keep nothing else."""

    @staticmethod
    def forward(ctx: Any, rule: Rule, factor: float, parameter: Tensor | None, *values: Tensor) -> Tensor:
        ctx.rule, ctx.factor, ctx.count = rule, factor, len(values)
        given = None if parameter is None else parameter.detach()
        out = as_shaped(loops.add([flat(one) for one in values], given, rule), values[0])
        ctx.save_for_backward(out, parameter, *(values if rule.needs_value else ()))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        out, parameter, *values = ctx.saved_tensors
        given = None if parameter is None else parameter.detach()
        kept = [flat(one) for one in values] or [flat(out)]
        gradient = gradient.contiguous(memory_format=layout_of(out))
        shared, slope = loops.add_back(flat(gradient), kept, flat(out), given, ctx.rule)
        shared = as_shaped(shared, out)
        return None, None, None if slope is None else slope * ctx.factor, *(shared for _ in range(ctx.count))
