"""The search for the integer form of a learned step function: the cheapest one that is proved equal.

From the thresholds of a channel follows the open interval of slopes of all straight lines that have the same
codes (:mod:`~n2d2py.integer.slopes`). A shift n serves the channel if and only if an integer multiplier m lies in
the interval times 2^n, and then the wide bias B is any integer of

    max_i (i * 2^n - T_i * m)  <=  B  <  min_j (j * 2^n - (T_j - 1) * m).

The layer takes the smallest n that serves as many of its channels as possible. Channels that no n serves within
the bits of the multiplier (a step that is too steep beside one that is too flat) count thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.errors import IntegerError
from n2d2py.integer import shifts
from n2d2py.integer.proof import Proof, prove
from n2d2py.integer.requantization import Rescaling, Table
from n2d2py.integer.slopes import Slopes, find_slopes
from n2d2py.integer.thresholds import Step, Thresholds, find_thresholds

MULTIPLIER_BITS = {"Floating-point": 31, "Fixed-point32": 31, "Fixed-point": 31, "Fixed-point16": 15}
"""Magnitude bits of the multiplier by ``-act-rescaling-mode``; with its sign it fits 32 or 16 bits."""

SHIFT_MODES = {"Single-shift": 1, "Double-shift": 2}
"""Powers of two of which the multiplier is the sum; the codes may then differ, and the proof counts them."""

MODES = (*MULTIPLIER_BITS, *SHIFT_MODES)

_ROOM = 1 << 61
"""Bound of acc * M and of R * 2^n: with it acc * M + B stays inside 64 bits whatever B the thresholds ask for."""


@dataclass(frozen=True, eq=False)
class Found:
    """A rescaling, the thresholds it was made from, and its proof."""

    rescaling: Rescaling
    thresholds: Thresholds
    proof: Proof


def requantize(
    step: Step, low: np.ndarray, high: np.ndarray, highest: int, mode: str = "Floating-point", name: str = ""
) -> Found:
    """The integer form of ``step`` on the reachable accumulators [low, high] of each channel, proved.

    ``mode`` is a word of ``-act-rescaling-mode``. Floating-point is N2D2's default word; here it means the cheapest
    proved form, and so do the Fixed-point modes with their bits of multiplier. Single-shift and Double-shift force
    the multiplier to one or two powers of two; the proof then says in how many accumulators the codes differ.
    Raises :class:`IntegerError` for accumulators too wide for exact arithmetic (2^53).
    """
    if mode not in MODES:
        raise IntegerError(f"unknown rescaling mode {mode!r}", expected=f"one of {', '.join(MODES)}")
    thresholds = find_thresholds(step, low, high, highest)
    if mode in SHIFT_MODES:
        rescaling = shifts.approximate(thresholds, SHIFT_MODES[mode])
    else:
        rescaling = exact(thresholds, MULTIPLIER_BITS[mode])
    proof = prove(rescaling, step, low, high)
    if mode not in SHIFT_MODES and not proof.exact:
        raise AssertionError(f"the form found for {name} is not equal to its step function: {proof}")
    return Found(rescaling, thresholds, proof)


def exact(thresholds: Thresholds, bits: int) -> Rescaling:
    """Multipliers of at most ``bits`` magnitude bits, one shift, biases; tables where there is no multiplier."""
    slopes = find_slopes(thresholds)
    widest = np.maximum(np.abs(thresholds.first), np.abs(thresholds.last)).tolist()
    reach = [_shifts(slopes, channel, bits, widest[channel], thresholds) for channel in range(len(widest))]
    shift = _most_served([span for span in reach if span is not None])
    served = np.array([span is not None and span[0] <= shift <= span[1] for span in reach], dtype=bool)
    multipliers = np.array(
        [_smallest(slopes, channel, shift) if served[channel] else 0 for channel in range(len(widest))], dtype=np.int64
    )
    multipliers[thresholds.constant] = 0
    biases = np.where(served, smallest_biases(thresholds, multipliers, shift), 0)
    tables = {
        int(channel): Table(int(thresholds.signs[channel]), thresholds.values[channel].copy())
        for channel in np.flatnonzero(~served)
    }
    return Rescaling(multipliers * thresholds.signs, biases, shift, thresholds.highest, tables)


def smallest_biases(thresholds: Thresholds, multipliers: np.ndarray, shift: int) -> np.ndarray:
    """The smallest B of each channel with which every code is reached at its threshold (int64).

    For a multiplier of the interval it is also small enough for no code to be reached earlier. A constant channel
    gets the B that makes its code.
    """
    levels = np.arange(1, thresholds.highest + 1, dtype=np.int64) << shift
    needed = levels - thresholds.values * multipliers[:, None]
    reached = thresholds.values <= thresholds.last[:, None]
    lowest = np.where(reached, needed, np.iinfo(np.int64).min).max(axis=1)
    # A channel that never leaves code 0 asks for nothing from below: stay just under code 1 at the last point.
    ceiling = (np.int64(1) << shift) - 1 - thresholds.last * multipliers
    return np.where(np.any(reached, axis=1), lowest, np.minimum(ceiling, 0))


def _smallest(slopes: Slopes, channel: int, shift: int) -> int:
    """The smallest integer above the interval's lower end times 2^shift."""
    return (int(slopes.low_p[channel]) << shift) // int(slopes.low_q[channel]) + 1


def _shifts(slopes: Slopes, channel: int, bits: int, widest: int, thresholds: Thresholds) -> tuple[int, int] | None:
    """The first and last shift that serve a channel, or None.

    A shift that serves is followed by others that serve (double m and B) until a word overflows.
    """
    if not slopes.feasible[channel]:
        return None
    last = 0
    while (thresholds.highest + 1) << (last + 1) < _ROOM:
        last += 1
    if thresholds.constant[channel]:
        return (0, last)
    high_p, high_q = int(slopes.high_p[channel]), int(slopes.high_q[channel])
    first = None
    for shift in range(last + 1):
        multiplier = _smallest(slopes, channel, shift)
        if multiplier >= 1 << bits or multiplier * max(1, widest) >= _ROOM:
            return None if first is None else (first, shift - 1)
        if first is None and multiplier * high_q < high_p << shift:
            first = shift
    return None if first is None else (first, last)


def _most_served(spans: list[tuple[int, int]]) -> int:
    """The smallest shift that lies in as many of the spans as possible; 0 if there is none."""
    candidates = sorted({first for first, _ in spans})
    return max(candidates, key=lambda shift: (sum(a <= shift <= b for a, b in spans), -shift), default=0)
