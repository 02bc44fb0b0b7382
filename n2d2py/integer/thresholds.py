"""Thresholds: the whole of a monotone step function of an integer, found by asking the function itself.

A quantized activation is a function of the exact integer accumulator of its channel. Each of its operations
(multiply by the scale, subtract the mean, multiply by the factor, add the bias, clamp, multiply by R / alpha,
round) is a correctly rounded monotone operation in float64, so the function is monotone, and it is known
completely from the accumulators at which its code changes. They are found by bisection, for all channels and
codes at once; there is no second formula that could disagree with the first.

A falling channel (negative factor) is read in the mirrored variable ``u = -acc``, in which it rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from n2d2py.errors import IntegerError

Step = Callable[[np.ndarray], np.ndarray]
"""A step function: int64 accumulators (channels, points) -> int64 codes (channels, points), monotone in each row."""

LARGEST = 1 << 53
"""Accumulators stay below this magnitude, so that each is a float64 exactly."""

_MOST_ASKED = 1 << 22
_AT_ONCE = 1 << 21
"""Values that one call of the step function gets at most, so that memory stays bounded."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """A step function on the reachable accumulators [low, high] of each channel, as its thresholds.

    In the variable ``u = signs * acc``, which runs through [first, last], the code is the number of entries of
    ``values`` (channels, R) that are at most u. Rows are sorted. A threshold of ``first`` says that the code is
    always reached, one of ``last + 1`` that it never is.
    """

    signs: np.ndarray
    values: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @property
    def highest(self) -> int:
        """The number of thresholds R: codes are 0..R."""
        return int(self.values.shape[1])

    @property
    def constant(self) -> np.ndarray:
        """Which channels have the same code everywhere: bool (channels,)."""
        return np.all((self.values <= self.first[:, None]) | (self.values > self.last[:, None]), axis=1)

    def codes(self, accumulators: np.ndarray) -> np.ndarray:
        """Codes of reachable accumulators (channels, points)."""
        points = accumulators * self.signs[:, None]
        return np.stack(
            [np.searchsorted(row, line, side="right") for row, line in zip(self.values, points, strict=True)]
        ).astype(np.int64)


def check_range(low: np.ndarray, high: np.ndarray, name: str = "") -> None:
    """Raise :class:`IntegerError` unless low <= high and every accumulator is exact in float64."""
    widest = max((abs(int(value)) for value in (*low.tolist(), *high.tolist())), default=0)
    if widest >= LARGEST:
        raise IntegerError(
            f"accumulators {f'of cell {name} ' if name else ''}reach {widest}: float64 is exact only below 2^53",
            remedy="use fewer levels for the weights or the activations that come in, or quantize the activations",
        )
    if np.any(low > high):
        raise ValueError("an accumulator range is empty")


def find_thresholds(step: Step, low: np.ndarray, high: np.ndarray, highest: int) -> Thresholds:
    """The thresholds of ``step``, whose codes are 0..``highest``, on [low, high] (int64, one entry a channel).

    About log2(high - low) calls of the function, each for all channels and codes. That it is monotone is taken
    for granted here (see above). Raises ValueError if it gives anything but codes.
    """
    check_range(low, high)
    ends = _ask(step, np.stack([low, high], axis=1), highest)
    signs = np.where(ends[:, 0] <= ends[:, 1], 1, -1).astype(np.int64)
    first, last = np.where(signs > 0, low, -high), np.where(signs > 0, high, -low)
    share = max(1, _AT_ONCE // max(1, len(low)))
    parts = [
        _bisect(step, signs, first, last, np.arange(start, min(start + share, highest + 1)), highest)
        for start in range(1, highest + 1, share)
    ]
    return Thresholds(signs, np.concatenate(parts, axis=1), first, last)


def monotone_everywhere(step: Step, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether ``step`` is monotone in each channel, found by asking it at every accumulator of [low, high].

    False as well where there are too many of them to ask (more than 2^22).
    """
    if sum(int(last) - int(first) + 1 for first, last in zip(low, high, strict=True)) > _MOST_ASKED:
        return False
    width = int((high - low).max(initial=0)) + 1
    share = max(1, _AT_ONCE // max(1, len(low)))
    before, rising, falling = step(low[:, None]), np.ones(len(low), bool), np.ones(len(low), bool)
    for start in range(0, width, share):
        points = np.minimum(low[:, None] + np.arange(start, min(width, start + share)), high[:, None])
        changes = np.diff(step(points), axis=1, prepend=before)
        before = before + changes.sum(axis=1, keepdims=True)
        rising &= np.all(changes >= 0, axis=1)
        falling &= np.all(changes <= 0, axis=1)
    return bool(np.all(rising | falling))


def _bisect(
    step: Step, signs: np.ndarray, first: np.ndarray, last: np.ndarray, wanted: np.ndarray, highest: int
) -> np.ndarray:
    """For each channel and wanted code, the smallest u with at least that code, or last + 1."""
    below = np.repeat(first[:, None], len(wanted), axis=1)
    above = np.repeat(last[:, None] + 1, len(wanted), axis=1)
    while np.any(below < above):
        middle = (below + above) >> 1  # below last + 1 wherever the search still goes on
        codes = _ask(step, np.minimum(middle, last[:, None]) * signs[:, None], highest)
        open_, reached = below < above, codes >= wanted
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle + 1, below)
    return below


def _ask(step: Step, accumulators: np.ndarray, highest: int) -> np.ndarray:
    codes = step(accumulators)
    if codes.dtype != np.int64 or codes.shape != accumulators.shape:
        raise ValueError(f"the step function gave {codes.dtype} {codes.shape}, not int64 {accumulators.shape}")
    if codes.size and (codes.min() < 0 or codes.max() > highest):
        raise ValueError(f"the step function gave a code outside 0..{highest}")
    return codes
