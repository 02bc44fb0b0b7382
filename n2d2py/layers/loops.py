"""Plain expressions of which torch.compile makes one or two loops over an activation, forward and backward.

Activations are (batch, channels, positions), contiguous (:mod:`~n2d2py.quant.layouts`); with those of bfloat16 it is
computed in float32. Sizes are symbols, so that one compilation serves all layers with the same rule. torch keeps what
it has compiled in a folder
(``TORCHINDUCTOR_CACHE_DIR``; by default ``torchinductor_<user>`` among the temporary files) from one run to the next.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from n2d2py.quant.layouts import widened
from n2d2py.quant.rules import Rule

_MOST = 128
"""How many versions of an expression may be compiled, one for each rule."""


def normalise(
    x: Tensor, scales: Tensor, biases: Tensor, parameter: Tensor | None, epsilon: float, rule: Rule, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(output of ``dtype``, mean, biased variance, 1 / sqrt(variance + epsilon)), the last three by channel."""
    given = (x, scales, biases, parameter, epsilon, rule, dtype)
    found: tuple[Tensor, Tensor, Tensor, Tensor] = _compiled(_normalise)(*given)
    return found


def normalise_back(
    gradient: Tensor,
    x: Tensor,
    out: Tensor | None,
    mean: Tensor,
    inverse: Tensor,
    scales: Tensor,
    biases: Tensor,
    parameter: Tensor | None,
    rule: Rule,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Gradients of x (of its type), scales, biases and the parameter; for ``out`` see :meth:`Rule.back`.

    With N values a channel, n = (x - mean) inverse and g what the rule gives back,
    dL/dx = scale inverse (g - sum(g) / N - n sum(g n) / N).
    """
    found: tuple[Tensor, Tensor, Tensor, Tensor | None] = _compiled(_normalise_back)(
        gradient, x, out, mean, inverse, scales, biases, parameter, rule
    )
    return found


def add(values: list[Tensor], parameter: Tensor | None, rule: Rule, dtype: torch.dtype, compiled: bool) -> Tensor:
    """The rule of a sum, of ``dtype``."""
    found: Tensor = (_compiled(_add) if compiled else _add)(values, parameter, rule, dtype)
    return found


def add_back(
    gradient: Tensor,
    values: list[Tensor],
    out: Tensor | None,
    parameter: Tensor | None,
    rule: Rule,
    dtype: torch.dtype,
    compiled: bool,
) -> tuple[Tensor, Tensor | None]:
    """Gradients of each summand, of ``dtype``, and of the parameter.

    ``values`` are the summands, or the output (see Rule); for ``out`` see :meth:`Rule.back`.
    """
    function = _compiled(_add_back) if compiled else _add_back
    found: tuple[Tensor, Tensor | None] = function(gradient, values, out, parameter, rule, dtype)
    return found


@functools.cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    import torch._dynamo
    from torch.fx.experimental import _config

    torch._dynamo.config.recompile_limit = max(_MOST, torch._dynamo.config.recompile_limit)
    _config.use_duck_shape = False  # sizes that happen to be equal may differ in the next layer
    compiled: Callable[..., Any] = torch.compile(function, dynamic=True, fullgraph=True)
    return compiled


def _across(numbers: Tensor) -> Tensor:
    return numbers.view(1, -1, 1)


def _normalise(
    x: Tensor, scales: Tensor, biases: Tensor, parameter: Tensor | None, epsilon: float, rule: Rule, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x = widened(x)
    count = x.shape[0] * x.shape[2]
    mean = x.sum((0, 2)) / count
    centred = x - _across(mean)
    variance = centred.square().sum((0, 2)) / count
    inverse = torch.rsqrt(variance + epsilon)
    values = centred * _across(scales * inverse) + _across(biases)
    return rule.apply(values, parameter).to(dtype), mean, variance, inverse


def _normalise_back(
    gradient: Tensor,
    x: Tensor,
    out: Tensor | None,
    mean: Tensor,
    inverse: Tensor,
    scales: Tensor,
    biases: Tensor,
    parameter: Tensor | None,
    rule: Rule,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    count = x.shape[0] * x.shape[2]
    normal = (widened(x) - _across(mean)) * _across(inverse)
    values = normal * _across(scales) + _across(biases)
    inner, slope = rule.back(widened(gradient), values, None if out is None else widened(out), parameter)
    by_bias, by_scale = inner.sum((0, 2)), (inner * normal).sum((0, 2))
    rest = inner - _across(by_bias / count) - normal * _across(by_scale / count)
    return (rest * _across(scales * inverse)).to(x.dtype), by_scale, by_bias, slope


def _add(values: list[Tensor], parameter: Tensor | None, rule: Rule, dtype: torch.dtype) -> Tensor:
    return rule.apply(_sum(values), parameter).to(dtype)


def _add_back(
    gradient: Tensor,
    values: list[Tensor],
    out: Tensor | None,
    parameter: Tensor | None,
    rule: Rule,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor | None]:
    shared, slope = rule.back(widened(gradient), _sum(values), None if out is None else widened(out), parameter)
    return shared.to(dtype), slope


def _sum(values: list[Tensor]) -> Tensor:
    total = widened(values[0])
    for value in values[1:]:
        total = total + widened(value)
    return total
