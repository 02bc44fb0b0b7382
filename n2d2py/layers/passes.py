"""Passes over activations that several steps share: BatchNorm or a sum, then the rule of what comes after it.

What torch's own functions do one after the other, each reading and writing the whole tensor, is here one function of
autograd. Its backward pass computes the value before the rule again from what is kept anyway, so that a quantized
network keeps no more than a float one: the input of the BatchNorm, and the output where something follows.

Each pass exists twice with the same formulas: of torch's operations, and, with ``compiled``, as one loop that
torch.compile makes of :mod:`plain expressions <n2d2py.layers.loops>`.

Activations may be of bfloat16 (``-amp bf16``): what is between reading and writing them is computed in float32, and
the output is bfloat16 too, as its next product would make it anyway. Codes are then computed again in the backward
pass, so that a step's gradient does not see the rounding of the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from n2d2py.layers import loops
from n2d2py.quant.layouts import as_shaped, flat, layout_of, widened
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
    known = x.dtype in (torch.float32, torch.bfloat16)
    return known and x.dim() > 2 and dense and min(x.shape[0], x[0, 0].numel()) > 1


def normalised(
    x: Tensor, scales: Tensor, biases: Tensor, statistics: Statistics, ruled: Ruled, compiled: bool
) -> Tensor:
    """``ruled.rule`` of the BatchNorm of x (batch, channels, ...) by the statistics of the batch.

    Without ``compiled`` only for a :class:`~n2d2py.quant.rules.CodeRule`.
    """
    rule, parameter = ruled.rule, ruled.parameter
    out: Tensor = _Normalised.apply(x, scales, biases, parameter, statistics, rule, ruled.factor, compiled)
    return out


def summed(values: list[Tensor], ruled: Ruled, compiled: bool) -> Tensor:
    """``ruled.rule`` of the sum of tensors of one shape and type."""
    out: Tensor = _Summed.apply(ruled.rule, ruled.factor, ruled.parameter, compiled, *values)
    return out


def _dtype_of_output(x: Tensor, rule: Rule) -> torch.dtype:
    return x.dtype if rule.fits_half else torch.float32


def _kept_output(x: Tensor, out: Tensor, rule: Rule) -> Tensor | None:
    """The output, if the gradient needs it and it is not computed again."""
    again = x.dtype == torch.bfloat16 and isinstance(rule, CodeRule)
    return out if rule.needs_output and not again else None


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
        dtype = _dtype_of_output(x, rule)
        if compiled:
            given = (scales.detach(), biases.detach(), None if parameter is None else parameter.detach())
            out, mean, variance, inverse = loops.normalise(flat(x), *given, statistics.epsilon, rule, dtype)
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
                widened(x),
                scales * per_unit,
                biases * per_unit,
                *running,
                True,
                statistics.momentum,
                statistics.epsilon,
            )
            out = rule.codes(scaled).mul_(rule.unit(parameter)).to(dtype)
        ctx.save_for_backward(x, _kept_output(x, out, rule), mean, inverse, scales, biases, parameter)
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
                flat(gradient), flat(x), None if out is None else flat(out), mean, inverse, *given, rule
            )
            dx = as_shaped(dx, x)
        else:
            per_unit = rule.per_unit(parameter)
            values = widened(x)
            # With an epsilon of 0 and this variance, torch's normalisation takes the very mean and deviation again.
            scaled, _, _ = torch.native_batch_norm(
                values, scales * per_unit, biases * per_unit, mean, inverse.pow(-2), False, 0.0, 0.0
            )
            if out is None:
                out = rule.codes(scaled.clone()).mul_(rule.unit(parameter))
            inner, slope = rule.gradients(widened(gradient), scaled, out, parameter)
            del scaled, out
            wanted = [ctx.needs_input_grad[0], True, True]
            dx, dscales, dbiases = torch.ops.aten.native_batch_norm_backward(
                inner, values, scales, None, None, mean, inverse, True, ctx.epsilon, wanted
            )
        slope = None if slope is None else slope * ctx.factor
        of_input = dx.to(x.dtype) if ctx.needs_input_grad[0] else None
        return of_input, dscales, dbiases, slope, None, None, None, None


class _Summed(torch.autograd.Function):
    """Rules whose gradient needs only the output keep nothing else."""

    @staticmethod
    def forward(
        ctx: Any, rule: Rule, factor: float, parameter: Tensor | None, compiled: bool, *values: Tensor
    ) -> Tensor:
        first = values[0]
        ctx.rule, ctx.factor, ctx.count, ctx.compiled, ctx.dtype = rule, factor, len(values), compiled, first.dtype
        given = None if parameter is None else parameter.detach()
        dtype = _dtype_of_output(first, rule)
        out = as_shaped(loops.add([flat(one) for one in values], given, rule, dtype, compiled), first)
        kept = _kept_output(first, out, rule)
        ctx.save_for_backward(kept, parameter, *(values if rule.needs_value else ()))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        out, parameter, *values = ctx.saved_tensors
        given = None if parameter is None else parameter.detach()
        like = values[0] if out is None else out
        kept = [flat(one) for one in values] or [flat(out)]
        gradient = gradient.contiguous(memory_format=layout_of(like))
        shared, slope = loops.add_back(
            flat(gradient), kept, None if out is None else flat(out), given, ctx.rule, ctx.dtype, ctx.compiled
        )
        shared = as_shaped(shared, like)
        return None, None, None if slope is None else slope * ctx.factor, None, *(shared for _ in range(ctx.count))
