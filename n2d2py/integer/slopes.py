"""Which straight lines pass between the thresholds of a channel: the feasible slopes of a multiplier.

``floor((u * m + B) / 2^n)`` has the code j exactly at the thresholds T_j (and any B in the reals) if and only if

    j <= T_j * s + b    and    (T_j - 1) * s + b < j        for every j,   s = m / 2^n,  b = B / 2^n,

so if and only if the points (T_i, i) and (T_j - 1, j) can be separated by a line of slope s. Eliminating b leaves
``s * (T_j - 1 - T_i) < j - i`` for every pair: an open interval of slopes with rational ends. Each end is a root
of the concave piecewise linear function

    F(s) = min_j (j - (T_j - 1) s) - max_i (i - T_i s)

and is found exactly by Newton's steps from outside (Dinkelbach's method), in integers, for all channels at once.
Since 2^n * F is an integer wherever s = m / 2^n, every slope inside has an integer B as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.integer.thresholds import Thresholds

_FAR = np.int64(1) << np.int64(62)


@dataclass(frozen=True, eq=False)
class Slopes:
    """The open interval (low_p / low_q, high_p / high_q) of each channel; high_q = 0 means no upper end.

    ``feasible`` says which channels have an interval that is not empty. Constant channels have (0, no end).
    """

    low_p: np.ndarray
    low_q: np.ndarray
    high_p: np.ndarray
    high_q: np.ndarray
    feasible: np.ndarray


def find_slopes(thresholds: Thresholds) -> Slopes:
    """The feasible slopes of every channel, in the variable u of the thresholds.

    Where R * (last - first) does not fit the integers used (2^61), none is searched for: no channel counts as
    feasible but the constant ones.
    """
    channels, highest = thresholds.values.shape
    span = int((thresholds.last - thresholds.first).max(initial=0)) + 1
    zero, one = np.zeros(channels, np.int64), np.ones(channels, np.int64)
    if span * max(1, highest) >= 1 << 61:
        return Slopes(zero, one, zero, one, thresholds.constant)
    offsets = thresholds.values - thresholds.first[:, None]  # small numbers: T - first lies in [0, span]
    lines = _Lines(
        offsets,
        reached=thresholds.values <= thresholds.last[:, None],
        unreached=thresholds.values > thresholds.first[:, None],
        codes=np.arange(1, highest + 1, dtype=np.int64),
    )
    low_p, low_q, low_found = lines.root(zero, one, from_right=False)
    high_p, high_q, high_found = lines.root(one * (highest + 1), one, from_right=True)
    unbounded = (high_p == highest + 1) & (high_q == 1)
    high_p, high_q = np.where(unbounded, 1, high_p), np.where(unbounded, 0, high_q)
    ends = (end.tolist() for end in (low_p, low_q, high_p, high_q))  # Python integers: the products may be wide
    wide = np.array([lp * hq < hp * lq for lp, lq, hp, hq in zip(*ends, strict=True)], dtype=bool)
    return Slopes(low_p, low_q, high_p, high_q, low_found & high_found & wide | thresholds.constant)


@dataclass(frozen=True, eq=False)
class _Lines:
    """The points between which the line passes: code i is reached at T_i, code j not yet at T_j - 1."""

    offsets: np.ndarray
    reached: np.ndarray
    unreached: np.ndarray
    codes: np.ndarray

    def root(self, p: np.ndarray, q: np.ndarray, *, from_right: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The end p / q of the interval, by Newton's steps that start at p / q outside; and whether there is one.

        A start at which F >= 0 is returned as it is.
        """
        p, q = p.copy(), q.copy()
        found = np.ones(len(p), dtype=bool)
        active = np.arange(len(p))
        while len(active):
            value, rise, run = self._steepest(active, p[active], q[active])
            going = value < 0
            right_way = run > 0 if from_right else run < 0
            found[active[going & ~right_way]] = False  # a bound of the other kind fails here: nothing lies beyond
            active, rise, run = (array[going & right_way] for array in (active, rise, run))
            p[active], q[active] = np.abs(rise), np.abs(run)
        return p, q, found

    def _steepest(self, rows: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, ...]:
        """q * F(p / q) of each row, and the pair that gives it: j - i and T_j - 1 - T_i."""
        offsets, codes = self.offsets[rows], self.codes
        heights = codes * q[:, None] - offsets * p[:, None]
        over = np.where(self.unreached[rows], heights + p[:, None], _FAR)
        under = np.where(self.reached[rows], heights, -_FAR)
        j, i = over.argmin(axis=1), under.argmax(axis=1)
        all_rows = np.arange(len(rows))
        top, bottom = over[all_rows, j], under[all_rows, i]
        free = (top == _FAR) | (bottom == -_FAR)  # no pair at all: any slope
        value = np.where(free, 0, np.where(free, 0, top) - np.where(free, 0, bottom))
        return value, codes[j] - codes[i], offsets[all_rows, j] - 1 - offsets[all_rows, i]
