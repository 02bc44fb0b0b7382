"""Weights whose sums cannot overflow: a bound on the sum of the |code| of each output, kept while it learns.

An accumulator of P bits holds -2^(P-1) .. 2^(P-1) - 1. With input codes of at most m in magnitude, no sum of some of
the products passes 2^(P-1) - 1 if

    sum |q| <= (2^(P-1) - 1) / m                                                   (A2Q)

(Colbert, Pappalardo and Petri-Koenig 2023, arXiv:2308.13504, equations 6 and 15, where m is 2^N for codes of N bits
without a sign). With weights of mean 0 for each output, positive and negative ones have half of the sum each, so that

    sum |q| <= (2^P - 2) / (h - l)                                                 (A2Q+)

is enough for input codes from l <= 0 to h >= 0 (Colbert et al. 2024, arXiv:2401.10432, equation 10, h - l = 2^N - 1).
Weights are fitted to the bound by one factor for each output and rounded toward 0, which makes no sum larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_MARGIN = 1 - 1e-6
"""For the roundings of float32 on the way: a sum of integers below bound + 1 is at most the bound."""


@dataclass(frozen=True)
class Budget:
    """What the |code| of the weights of one output may sum up to; ``centred``: after their mean was taken away."""

    limit: float
    centred: bool = False


def budget(bits: int, low: int, high: int, centred: bool) -> Budget:
    """The budget of accumulators of ``bits`` bits for input codes from ``low`` to ``high``, and 0 (padding).

    >>> round(budget(16, 0, 255, centred=False).limit, 6), round(budget(16, 0, 255, centred=True).limit, 6)
    (128.498039, 256.996078)
    """
    low, high = min(low, 0), max(high, 0)
    if centred:
        return Budget((2**bits - 2) / max(1, high - low), centred=True)
    return Budget((2 ** (bits - 1) - 1) / max(1, high, -low))


def fit(weights: Tensor, step: Tensor, budget: Budget) -> Tensor:
    """Weights (outputs, ...) with sum |w| / step of each output within the budget; ``step`` has a gradient too."""
    flat = weights.flatten(1)
    if budget.centred:
        flat = flat - flat.mean(1, keepdim=True)
    sums = flat.abs().sum(1, keepdim=True, dtype=torch.float64)
    most = step * (budget.limit * _MARGIN)
    factor = torch.where(sums > most, most / sums.clamp_min(torch.finfo(torch.float32).tiny), 1.0)
    return (flat * factor.to(flat.dtype)).view_as(weights)
