"""N2D2's random generator: the 32-bit Mersenne Twister and N2D2's way of making numbers from its draws.

The stream is MT19937 (Matsumoto and Nishimura 1998) seeded by the standard single-integer initialiser, so a
seed gives the partitions and the batches that it gives in N2D2. With u the next draw:

=====================  =========================
real in [a, b]         a + u / (2^32 - 1) (b - a)
real in ]a, b]         a + (u + 1) / 2^32 (b - a)
real in [a, b[         a + u / 2^32 (b - a)
integer in [a, b]      a + floor(u / 2^32 (b - a + 1))
normal                 Box-Muller on two draws of ]0, 1]: the cosine half, then the sine half
=====================  =========================
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORDS = 4294967296.0  # 2^32, the number of values of one draw


class Generator:
    """One stream of random numbers; the same ``seed`` (0 to 2^32 - 1) always gives the same stream."""

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < 1 << 32:
            raise ValueError(f"seed {seed} is not a 32-bit unsigned integer")
        self.seed = seed
        self._words = np.random.MT19937()
        # The public constructor hashes its seed; N2D2 uses the initialiser of the original generator.
        self._words._legacy_seeding(seed)
        self._sine: float | None = None

    @property
    def state(self) -> dict[str, Any]:
        """Where the stream is, as plain numbers and lists; setting it goes on from there."""
        words = self._words.state["state"]
        return {"key": words["key"].tolist(), "position": int(words["pos"]), "sine": self._sine}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        key = np.array(state["key"], np.uint32)
        self._words.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": state["position"]}}
        self._sine = state["sine"]

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next ``count`` draws, each a 32-bit integer."""
        return self._words.random_raw(count)

    def integer(self, low: int, high: int) -> int:
        """An integer of [low, high], both included."""
        return int(self.integers(low, high, 1)[0])

    def integers(self, low: int, high: int, count: int) -> NDArray[np.int64]:
        """``count`` independent integers of [low, high], both included."""
        if high < low:
            raise ValueError(f"there is no integer in [{low}, {high}]")
        return low + self.below(np.full(count, high - low + 1, np.int64))

    def below(self, bounds: NDArray[np.int64]) -> NDArray[np.int64]:
        """One integer of [0, bound - 1] for each of ``bounds``, drawn in their order."""
        return (self.words(len(bounds)) / _WORDS * bounds).astype(np.int64)

    def real(self, low: float = 0.0, high: float = 1.0, closed: str = "both") -> float:
        """A real number of the interval; ``closed`` is ``both``, ``right`` (]low, high]) or ``left`` ([low, high[)."""
        return float(self.reals(1, low, high, closed)[0])

    def reals(self, count: int, low: float = 0.0, high: float = 1.0, closed: str = "both") -> NDArray[np.float64]:
        """``count`` independent real numbers, as :meth:`real` gives them one by one."""
        words = self.words(count).astype(np.float64)
        if closed == "both":
            unit = words / (_WORDS - 1)
        elif closed == "right":
            unit = (words + 1) / _WORDS
        elif closed == "left":
            unit = words / _WORDS
        else:
            raise ValueError(f"closed is both, left or right, not {closed!r}")
        return low + unit * (high - low)

    def bernoulli(self, probability: float) -> bool:
        """True with the given probability."""
        return self.real(closed="left") < probability

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """A number of the normal distribution."""
        return float(self.normals(1, mean, deviation)[0])

    def normals(self, count: int, mean: float = 0.0, deviation: float = 1.0) -> NDArray[np.float64]:
        """``count`` numbers of the normal distribution, as :meth:`normal` gives them one by one."""
        kept = [] if self._sine is None or count == 0 else [self._sine]
        pairs = (count - len(kept) + 1) // 2
        units = self.reals(2 * pairs, closed="right").reshape(pairs, 2)
        radius = np.sqrt(-2 * np.log(units[:, 0]))
        angle = 2 * np.pi * units[:, 1]
        halves = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
        numbers = np.concatenate([np.asarray(kept, np.float64), halves])
        if count > 0:
            self._sine = float(numbers[count]) if len(numbers) > count else None
        return mean + deviation * numbers[:count]

    def shuffle(self, items: MutableSequence[Any] | NDArray[Any]) -> None:
        """Shuffle in place: for i = 1, 2, ... exchange item i with item j, j an integer of [0, i]."""
        if len(items) < 2:
            return
        order = exchanged(self.below(np.arange(2, len(items) + 1, dtype=np.int64)))
        if isinstance(items, np.ndarray):
            items[:] = items.take(order, 0)
        else:
            items[:] = [items[place] for place in order.tolist()]


def exchanged(others: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers 0, 1, ..., n - 1 after the exchanges of place i with place ``others[i - 1]``, i = 1, 2, ....

    >>> exchanged(np.array([0, 2, 1])).tolist()
    [1, 3, 2, 0]
    """
    from scipy.linalg import lapack  # a tenth of a second, which only learning takes

    # Exchanges one after the other are what LAPACK does to the rows of a matrix that it pivots; here its one column.
    numbers = np.arange(len(others) + 1, dtype=np.float64)[:, np.newaxis]
    places = np.concatenate([[0], others]).astype(np.int32)
    exchanges: NDArray[np.float64] = lapack.dlaswp(numbers, places, overwrite_a=True)
    return exchanges[:, 0].astype(np.int64)
