"""Rescaling by shifts only: the multiplier is one power of two, or a sum of two.

Such a line rarely passes between all thresholds. The form given here has the multiplier near the channel's slope
and the bias with which the sum of |code - learned code| over the reachable accumulators is smallest; how many
accumulators differ is for the proof to count. (N2D2's Single-shift and Double-shift round the multiplier in the
same way, without a word on what it costs.)
"""

from __future__ import annotations

import math

import numpy as np

from n2d2py.integer.requantization import Rescaling
from n2d2py.integer.thresholds import Thresholds

_LARGEST = 30
"""Multipliers stay below 2^31, so that the larger power of a sum is at most 2^29."""
_ROOM = 61
"""Bits that acc * M and R * 2^n may have, so that acc * M + B stays inside 64 bits."""


def approximate(thresholds: Thresholds, powers: int) -> Rescaling:
    """The best rescaling whose multipliers are ``powers`` (1 or 2) powers of two, with one shift for the layer."""
    slopes = [_slope(thresholds, channel) for channel in range(len(thresholds.signs))]
    exponents = [math.floor(math.log2(slope)) for slope in slopes if slope > 0]
    steepest = max(exponents, default=0) + 2  # bits of the largest multiplier at shift 0
    widest = int(np.maximum(np.abs(thresholds.first), np.abs(thresholds.last)).max(initial=1))
    room = min(_LARGEST - steepest, _ROOM - steepest - widest.bit_length(), _ROOM - thresholds.highest.bit_length() - 1)
    # The smallest power that any channel may use is 2^(floor(log2 slope) - depth); the shift makes it an integer.
    depth = 1 if powers == 1 else 8
    shift = max(0, min(depth - min(exponents, default=0), room))
    largest = min(1 << _LARGEST, (1 << _ROOM) // max(1, widest))
    multipliers = np.zeros(len(slopes), dtype=np.int64)
    biases = np.zeros(len(slopes), dtype=np.int64)
    for channel, slope in enumerate(slopes):
        multiplier, bias = _best(thresholds, channel, _candidates(slope, powers, shift, largest), shift)
        multipliers[channel], biases[channel] = multiplier * int(thresholds.signs[channel]), bias
    return Rescaling(multipliers, biases, shift, thresholds.highest)


def _slope(thresholds: Thresholds, channel: int) -> float:
    """Codes per accumulator between the first and the last threshold inside the range; 0 for a constant channel."""
    values, first, last = thresholds.values[channel], thresholds.first[channel], thresholds.last[channel]
    inside = np.flatnonzero((values > first) & (values <= last))
    if len(inside) == 0:
        return 0.0
    codes, run = int(inside[-1] - inside[0]), int(values[inside[-1]] - values[inside[0]])
    # All steps at one accumulator, or a single one: as steep as it takes.
    return codes / run if run else float(codes + 1)


def _candidates(slope: float, powers: int, shift: int, largest: int) -> list[int]:
    """The multipliers nearest to slope * 2^shift that are a power of two, or a sum of two of them; none for slope 0."""
    if slope == 0:
        return []
    exact = slope * 2.0**shift
    found = {1 << e for e in range(_LARGEST + 1)}
    if powers == 2:
        found |= {(1 << a) + (1 << b) for a in range(_LARGEST) for b in range(a)}
    return sorted((m for m in found if m <= largest), key=lambda m: abs(m - exact))[:3]


def _best(thresholds: Thresholds, channel: int, candidates: list[int], shift: int) -> tuple[int, int]:
    """Multiplier and bias with the smallest total error of the codes over the range."""
    values, first, last = thresholds.values[channel], thresholds.first[channel], thresholds.last[channel]
    levels = np.arange(1, thresholds.highest + 1, dtype=np.int64) << shift
    if not candidates:
        return 0, int(np.count_nonzero(values <= first)) << shift
    choices = []
    for multiplier in candidates:
        # The error is piecewise linear in B; it can be smallest only where some threshold is met exactly.
        meeting = levels - values * multiplier
        biases = np.unique(np.concatenate([meeting, meeting + multiplier - 1]))
        for part in np.array_split(biases, max(1, len(biases) // 64)):
            own = np.clip(-((part[:, None] - levels) // multiplier), first, last + 1)
            errors = np.abs(own - values).sum(axis=1, dtype=np.float64)
            least = int(errors.argmin())
            choices.append((float(errors[least]), multiplier, int(part[least])))
    _, multiplier, bias = min(choices)
    return multiplier, bias
