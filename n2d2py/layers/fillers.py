"""Initial values: the distributions of the filler records.

The fan n of a tensor (outputs O, channels Z, ...) is size / O (FanIn), size / Z (FanOut) or the mean of both,
from the shape alone: that a connection map leaves out connections does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from n2d2py.parts import fillers as records
from n2d2py.registry import find, name_of, register

Draw = Callable[[Tensor, torch.Generator], None]


@torch.no_grad()
def fill(record: records.Filler, tensor: Tensor, generator: torch.Generator) -> None:
    """Fill ``tensor`` (outputs, channels, ...), in place; a 1-D tensor counts as (outputs, 1).

    Values are drawn on the generator's device in the order of a contiguous tensor, so that they depend on nothing
    else.
    """
    values = torch.empty(tensor.shape if tensor.dim() > 1 else (*tensor.shape, 1), device=generator.device)
    find("filling", name_of("filler", type(record)))(record, values, generator)
    tensor.copy_(values.view(tensor.shape))


def fan(variance_norm: str, shape: tuple[int, ...]) -> float:
    """The n of the variance norm FanIn, FanOut or Average for a tensor (outputs, channels, ...)."""
    size = math.prod(shape)
    fan_in, fan_out = size / shape[0], size / shape[1]
    return {"FanIn": fan_in, "FanOut": fan_out, "Average": (fan_in + fan_out) / 2}[variance_norm]


@register("filling", "ConstantFiller")
def constant(record: records.ConstantFiller, values: Tensor, generator: torch.Generator) -> None:
    """Every value is Value."""
    values.fill_(record.value)


@register("filling", "NormalFiller")
def normal(record: records.NormalFiller, values: Tensor, generator: torch.Generator) -> None:
    """N(Mean, StdDev)."""
    values.normal_(record.mean, record.std_dev, generator=generator)


@register("filling", "UniformFiller")
def uniform(record: records.UniformFiller, values: Tensor, generator: torch.Generator) -> None:
    """U[Min, Max]."""
    values.uniform_(record.low, record.high, generator=generator)


@register("filling", "HeFiller")
def he(record: records.HeFiller, values: Tensor, generator: torch.Generator) -> None:
    """Scaling * N(MeanNorm / n, sqrt(2 / n)) (He et al. 2015, equation 10)."""
    n = fan(record.variance_norm, tuple(values.shape))
    values.normal_(record.mean_norm / n, math.sqrt(2.0 / n), generator=generator).mul_(record.scaling)


@register("filling", "XavierFiller")
def xavier(record: records.XavierFiller, values: Tensor, generator: torch.Generator) -> None:
    """Scaling * U[-sqrt(3/n), sqrt(3/n)] or Scaling * N(0, sqrt(1/n)) (Glorot and Bengio 2010)."""
    n = fan(record.variance_norm, tuple(values.shape))
    if record.distribution == "Uniform":
        values.uniform_(-math.sqrt(3.0 / n), math.sqrt(3.0 / n), generator=generator)
    else:
        values.normal_(0.0, math.sqrt(1.0 / n), generator=generator)
    values.mul_(record.scaling)
