"""The proof that a rescaling equals the learned step function on the whole reachable range.

Both are monotone functions of the accumulator: the learned one because each of its float64 operations is a
correctly rounded monotone operation, the integer one because of the sign of M (or the sorted table). Between two
neighbouring edges of the integer function it is constant. If the learned function has the same code at both ends
of such a piece, it is squeezed to that code all along. So equality at ``edge - 1`` and ``edge`` for every edge,
and at both ends of the range, is equality everywhere. The edges come from M, B and n alone: nothing that the
search for them believed is used again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.integer.requantization import Rescaling
from n2d2py.integer.thresholds import Step, find_thresholds


@dataclass(frozen=True, eq=False)
class Proof:
    """What was checked, and in how many reachable accumulators of each channel the codes differ (none: proved)."""

    points: int
    """Accumulators at which both functions were asked."""
    reachable: int
    """Reachable accumulators of all channels together."""
    differing: np.ndarray
    """Reachable accumulators with another code, exactly counted, int64 (channels,)."""
    overflows: tuple[int, ...] = ()
    """Channels whose arithmetic leaves 64 bits."""

    @property
    def exact(self) -> bool:
        """Whether the two functions are equal on every reachable accumulator, without overflow."""
        return not self.overflows and not bool(np.any(self.differing))

    @property
    def wrong_channels(self) -> int:
        """Channels that are not proved: a code differs, or their arithmetic overflows."""
        return len({*self.overflows, *np.flatnonzero(self.differing).tolist()})

    def __str__(self) -> str:
        if self.overflows:
            return f"{len(self.overflows)} channels overflow"
        if self.exact:
            return "exact"
        return f"{sum(self.differing.tolist())} of {self.reachable} differ"


def prove(rescaling: Rescaling, step: Step, low: np.ndarray, high: np.ndarray) -> Proof:
    """Check ``rescaling`` against ``step`` on [low, high] (int64, inclusive, one entry a channel).

    Exact where all edges agree; else the differing accumulators are counted from the two sets of thresholds.
    """
    reachable = sum(int(last) - int(first) + 1 for first, last in zip(low, high, strict=True))
    overflows = tuple(rescaling.overflows(low, high))
    differing = np.zeros(rescaling.channels, dtype=np.int64)
    pieces = [_pieces(rescaling, channel, int(low[channel]), int(high[channel])) for channel in range(len(low))]
    points = _rectangle(pieces)
    if overflows:
        return Proof(0, reachable, differing, overflows)
    wrong = np.any(rescaling.codes(points) != step(points), axis=1)
    if np.any(wrong):
        differing[wrong] = _count(rescaling, step, low, high, pieces)[wrong]
    return Proof(sum(len(row) for row in pieces), reachable, differing)


def _pieces(rescaling: Rescaling, channel: int, low: int, high: int) -> list[int]:
    """First and last accumulator of every piece of [low, high] on which the code is constant, in order."""
    edges = sorted(set(rescaling.edges(channel, low, high)))
    return [low, *(point for edge in edges for point in (edge - 1, edge)), high]


def _rectangle(rows: list[list[int]]) -> np.ndarray:
    """Rows of different lengths as one int64 array; the last entry of a row fills it up."""
    width = max((len(row) for row in rows), default=0)
    return np.array([row + [row[-1]] * (width - len(row)) for row in rows], dtype=np.int64).reshape(len(rows), width)


def _count(rescaling: Rescaling, step: Step, low: np.ndarray, high: np.ndarray, pieces: list[list[int]]) -> np.ndarray:
    """How many accumulators have different codes: both functions are constant between the edges of either."""
    most = int(step(np.stack([low, high], axis=1)).max(initial=rescaling.highest))  # a wrong clip is seen too
    learned = find_thresholds(step, low, high, most)
    starts = []
    for channel, row in enumerate(pieces):
        sign, inside = int(learned.signs[channel]), learned.values[channel]
        edges = {int(value) if sign > 0 else 1 - int(value) for value in inside}
        own = {*row[::2]}  # first accumulator of each piece
        starts.append(sorted(own | {edge for edge in edges if low[channel] < edge <= high[channel]}))
    points = _rectangle(starts)
    differ = rescaling.codes(points) != step(points)
    counts = [
        sum(after - start for start, after, other in zip(row, [*row[1:], int(last) + 1], marks, strict=False) if other)
        for row, last, marks in zip(starts, high, differ.tolist(), strict=True)
    ]
    return np.array(counts, dtype=np.int64)
