"""Random draws of transformations: a function of seed, pass, position and transformation, and of nothing else.

So the same seed gives the same augmentation whatever the number of workers, and a batch that is transformed at once
draws the very numbers that its images would draw one by one. The generator is counter-based: splitmix64 (Steele,
Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 17) of a key and a counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WORD = 2**64 - 1


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # Products of arrays of integers wrap around in silence, as they must.
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _mixed_one(value: int) -> int:
    """As :func:`_mixed`, of one integer: an array of one is slower by ten times."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _WORD
    return value ^ value >> 31


class Draws:
    """A stream of random numbers for each of some images, all streams advancing together.

    Every method gives an array with one number an image. ``keys``: uint64, one an image.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys
        self._counter = 0

    def __len__(self) -> int:
        return len(self._keys)

    @classmethod
    def of(cls, seed: int, number: int, positions: NDArray[np.integer] | Sequence[int]) -> Draws:
        """The streams of the images at some positions of the pass with a number of its own."""
        start = _mixed(np.array([(seed * 0x100000001 + number) & (2**64 - 1)], np.uint64))
        return cls(_mixed(start ^ _mixed(np.asarray(positions).astype(np.uint64) + _GOLDEN)))

    def below_one(self) -> NDArray[np.float64]:
        """Reals in [0, 1)."""
        self._counter += 1
        if len(self._keys) == 1:
            word = _mixed_one(int(self._keys[0]) + int(_GOLDEN) * self._counter & _WORD)
            return np.array([(word >> 11) * 2.0**-53])
        values = _mixed(self._keys + np.uint64(int(_GOLDEN) * self._counter & _WORD))
        return (values >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def field(self, count: int) -> NDArray[np.float64]:
        """``count`` reals in [0, 1) an image, (images, count): those that as many calls of below_one would give."""
        with np.errstate(over="ignore"):
            steps = _GOLDEN * np.arange(self._counter + 1, self._counter + count + 1, dtype=np.uint64)
            values = _mixed(self._keys[:, np.newaxis] + steps)
        self._counter += count
        return (values >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def real(self, low: float | NDArray[np.float64], high: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Reals in [low, high)."""
        return low + self.below_one() * (np.asarray(high) - low)

    def integer(self, low: int | NDArray[np.integer], high: int | NDArray[np.integer]) -> NDArray[np.int64]:
        """Integers in [low, high], both ends included."""
        span = np.asarray(high, np.int64) - low + 1
        return (np.asarray(low, np.int64) + np.floor(self.below_one() * span)).astype(np.int64)

    def truth(self, probability: float) -> NDArray[np.bool_]:
        """True with the given probability."""
        return self.below_one() < probability

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> NDArray[np.float64]:
        """Normally distributed reals (Box and Muller 1958)."""
        radius = np.sqrt(-2 * np.log(1 - self.below_one()))
        return mean + deviation * radius * np.cos(2 * np.pi * self.below_one())

    def kept(self) -> Draws:
        """The same streams, which keep what they draw: made for a whole pass, of which parts are asked for."""
        return _Kept(self._keys)

    def each(self, name: str, function: Callable[[Draws], NDArray[np.int64]]) -> NDArray[np.int64]:
        """What ``function`` makes of the streams from their beginning: a row an image, which no other image changes.

        In the parts of a pass that is kept, all rows of one ``name`` are made at once. They are only to be read.
        """
        return function(self)

    def image(self, index: int) -> Draws:
        """The streams of one of the images alone, from their beginning."""
        return Draws(self._keys[index : index + 1])

    def some(self, indices: NDArray[np.integer] | slice) -> Draws:
        """The streams of some of the images, from their beginning."""
        return Draws(self._keys[indices])

    def child(self, number: int) -> Draws:
        """Streams of their own for the transformation with that number in the chain."""
        word = _mixed_one(number + int(_GOLDEN) & _WORD)
        if len(self._keys) == 1:
            return Draws(np.array([_mixed_one(int(self._keys[0]) ^ word)], np.uint64))
        return Draws(_mixed(self._keys ^ np.uint64(word)))


class _Kept(Draws):
    """Streams of a whole pass: what its parts draw is drawn for all images at once, which is faster."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        super().__init__(keys)
        self._children: dict[int, _Kept] = {}
        self._drawn: dict[int, NDArray[np.float64]] = {}
        self._rows: dict[str, NDArray[np.int64]] = {}

    def some(self, indices: NDArray[np.integer] | slice) -> Draws:
        return _Part(self, indices)

    def child(self, number: int) -> _Kept:
        if number not in self._children:
            self._children[number] = _Kept(super().child(number)._keys)
        return self._children[number]

    def each(self, name: str, function: Callable[[Draws], NDArray[np.int64]]) -> NDArray[np.int64]:
        if name not in self._rows:
            self._rows[name] = function(Draws(self._keys))
        return self._rows[name]

    def at(self, counter: int, indices: NDArray[np.integer] | slice) -> NDArray[np.float64]:
        """The reals that some of the images draw in turn ``counter``; of a slice a view, which cannot be changed."""
        if counter not in self._drawn:
            streams = Draws(self._keys)
            streams._counter = counter - 1
            drawn = streams.below_one()
            drawn.setflags(write=False)
            self._drawn[counter] = drawn
        return self._drawn[counter][indices]


class _Part(Draws):
    """The streams of some images of a pass."""

    def __init__(self, whole: _Kept, indices: NDArray[np.integer] | slice) -> None:
        super().__init__(whole._keys[indices])
        self._whole = whole
        self._indices = indices

    def below_one(self) -> NDArray[np.float64]:
        self._counter += 1
        return self._whole.at(self._counter, self._indices)

    def child(self, number: int) -> Draws:
        return _Part(self._whole.child(number), self._indices)

    def each(self, name: str, function: Callable[[Draws], NDArray[np.int64]]) -> NDArray[np.int64]:
        return self._whole.each(name, function)[self._indices]
