"""Partition of stimuli into learning, validation and test sets, in N2D2's arithmetic and order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError, Place

SETS = ("Learn", "Validation", "Test")
"""Names of the sets, in the order in which they are filled."""

_ROUNDING = 1e-9  # what 1 - V + V may exceed 1 by


def half_up(value: float) -> int:
    """The nearest integer; a half goes up."""
    return math.floor(value + 0.5)


def half_down(value: float) -> int:
    """The nearest integer; a half goes down."""
    return math.ceil(value - 0.5)


def counts(
    stimuli: int, learn: float, validation: float, test: float, place: Place | None = None
) -> tuple[int, int, int]:
    """How many of ``stimuli`` go to the learning, validation and test sets for the given fractions.

    nLearn = half_up(n learn), nRest = half_down(n (validation + test)),
    nValidation = half_up(nRest f), nTest = half_down(nRest (1 - f)), f = validation / (validation + test).
    Rounding may leave stimuli in no set. Raises :class:`ParameterError` if the fractions exceed 1 together.
    """
    if min(learn, validation, test) < 0 or learn + validation + test > 1 + _ROUNDING:
        raise ParameterError(
            f"the fractions {learn:g} + {validation:g} + {test:g} of learning, validation and test are not a partition",
            place=place,
            expected="fractions of at least 0 whose sum is at most 1",
        )
    share = validation / (validation + test) if validation > 0 else 0.0
    to_learn = half_up(stimuli * learn)
    rest = half_down(stimuli * (validation + test))
    to_validation = min(half_up(rest * share), stimuli - to_learn)
    to_test = min(half_down(rest * (1 - share)), stimuli - to_learn - to_validation)
    return to_learn, to_validation, to_test


def take(pool: Sequence[int], ranks: Iterable[int]) -> tuple[list[int], list[int]]:
    """Take ``pool[rank]`` out of the pool for one rank after the other, the rest closing ranks each time.

    Returns what was taken, in that order, and what is left, in the pool's order. O(log n) for a rank: a binary
    indexed tree (Fenwick 1994) counts what is still there.
    """
    size = 1 << max(len(pool) - 1, 0).bit_length()
    node = np.arange(size + 1)
    below = node - (node & -node)
    tree = (np.minimum(node, len(pool)) - np.minimum(below, len(pool))).tolist()
    taken = []
    there = bytearray(b"\x01") * len(pool)
    for wanted in ranks:
        rank, position, step = wanted, 0, size
        while step:
            count = tree[position + step]
            if count <= rank:
                rank -= count
                position += step
            else:
                tree[position + step] = count - 1
            step >>= 1
        taken.append(pool[position])
        there[position] = 0
    return taken, [item for item, present in zip(pool, there, strict=True) if present]


class Partition:
    """Stimuli, by their ids, in the sets of :data:`SETS` or in none of them yet.

    With ``random`` each stimulus that goes to a set is drawn from those in no set; else the first one goes.
    The draws are made even where all of them go, so that a test set is in random order too, as in N2D2.
    """

    def __init__(self, generator: Generator, random: bool = True) -> None:
        self._generator = generator
        self._random = random
        self.unpartitioned: list[int] = []
        self.sets: dict[str, list[int]] = {name: [] for name in SETS}

    def add(self, ids: Iterable[int]) -> None:
        """New stimuli, in no set."""
        self.unpartitioned.extend(ids)

    def move(self, count: int, name: str) -> None:
        """Move ``count`` stimuli to the set called ``name``."""
        available = len(self.unpartitioned)
        if count > available:
            raise ValueError(f"{count} stimuli are wanted for {name}, {available} are left")
        if self._random:
            ranks = self._generator.below(np.arange(available, available - count, -1, dtype=np.int64))
            taken, self.unpartitioned = take(self.unpartitioned, ranks.tolist())
        else:
            taken, self.unpartitioned = self.unpartitioned[:count], self.unpartitioned[count:]
        self.sets[name].extend(taken)

    def split(self, learn: float, validation: float, test: float, place: Place | None = None) -> None:
        """Move fractions of the stimuli that are in no set to the three sets; see :func:`counts`."""
        shares = counts(len(self.unpartitioned), learn, validation, test, place)
        for name, count in zip(SETS, shares, strict=True):
            self.move(count, name)
