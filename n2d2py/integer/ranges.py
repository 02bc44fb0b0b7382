"""Exact bounds of integer sums: the reachable accumulators of each output, from weight codes and input bounds.

Everything is exact: int64 where a bound in Python integers shows that it fits, Python integers where it does not.
"""

from __future__ import annotations

import numpy as np

from n2d2py.errors import IntegerError

WIDEST = 1 << 62
"""Accumulators stay below this magnitude in every operation."""


def sum_bounds(weights: np.ndarray, low: np.ndarray, high: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of ``sum_k weights[o][k] * x[o or any][k]`` for x[k] in [low[k], high[k]]; int64 (outputs,).

    ``weights`` is (outputs, n); ``low`` and ``high`` are (n,), or (outputs, n) where outputs see other inputs.
    Raises :class:`IntegerError` if a sum can reach 2^62.
    """
    largest = max((abs(int(value)) for value in (low.min(initial=0), high.max(initial=0))), default=0)
    bound = int(np.abs(weights).sum(axis=1).max(initial=0)) * largest
    exact = weights if bound < WIDEST else weights.astype(object)
    positive, negative = np.where(weights > 0, exact, 0), np.where(weights < 0, exact, 0)
    least = (positive * low + negative * high).sum(axis=1)
    most = (positive * high + negative * low).sum(axis=1)
    check_width(least, most, name)
    return least.astype(np.int64), most.astype(np.int64)


def check_width(low: np.ndarray, high: np.ndarray, name: str) -> None:
    """Raise :class:`IntegerError` unless every bound is below 2^62 in magnitude."""
    widest = max((abs(int(value)) for value in (*low.tolist(), *high.tolist())), default=0)
    if widest >= WIDEST:
        raise IntegerError(
            f"accumulators of cell {name} can reach {widest}, more than 62 bits",
            remedy="quantize the activations of the cells before it (QAct=SAT), so that codes stay small",
        )


def word_bits(low: int, high: int) -> int:
    """Bits of the two's complement word that holds low..high (C.7): sign included."""
    return 1 + max(high.bit_length() if high > 0 else 0, (-low - 1).bit_length() if low < 0 else 0)
