"""The step with which a learned one begins, of the first tensor that it quantizes.

By magnitude it is 2 mean|x| / sqrt(Q_p) (Esser et al. 2019, arXiv:1902.08153, section 2.1). By error it is the step of
which sum of (x - s code(x / s))^2 is least (as Bhalgat et al. 2020, arXiv:2004.09576, take it for activations): of
normal values on three levels 1.22 deviations, where the other is 1.60 and takes dozens of epochs to come down.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from n2d2py.quant.levels import Levels

Codes = Callable[[Tensor], Tensor]
"""The codes of values in units of the step."""

_MOST_VALUES = 1 << 18
_CANDIDATES = 200
_ROUNDS = 100
_STILL = 1e-6


def of_magnitude(values: Tensor, levels: Levels) -> float:
    """2 mean|x| / sqrt(Q_p)."""
    return 2 * float(values.abs().double().mean()) / math.sqrt(max(1, levels.high))


def of_least_error(values: Tensor, levels: Levels, codes: Codes) -> float:
    """The step with the least sum of squared errors; 0 if there is nothing but zeros.

    Where the less the better, as for negative values and positive levels, it is that of the magnitude.

    The best of :data:`_CANDIDATES` steps up to that which clips nothing is made better by turns: codes for the step,
    then the step for the codes, <x, code> / <code, code>, none of which makes the error larger. Of a large tensor
    evenly spaced values stand for all.
    """
    flat = values.flatten()
    flat = flat[:: max(1, -(-flat.numel() // _MOST_VALUES))].double()
    largest = float(flat.abs().max()) if flat.numel() else 0.0
    if not 0 < largest < math.inf:
        return 0.0
    nearest = largest / levels.magnitude
    # A level set with more on one side may want more than that: what lies on the other side is clipped all the same.
    found = [nearest * 2 * (place + 1) / _CANDIDATES for place in range(_CANDIDATES)]
    step = min(found, key=lambda one: float((flat - codes(flat / one) * one).square().sum()))
    for _ in range(_ROUNDS):
        taken = codes(flat / step)
        better = float(taken @ flat) / max(1.0, float(taken @ taken))
        if not better > 0:
            return of_magnitude(values, levels)
        if abs(better - step) <= _STILL * step:
            break
        step = better
    return step
