"""Partition of stimuli into learning, validation and test sets, in N2D2's arithmetic and order."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError, Place

SETS = ("Learn", "Validation", "Test")
"""Names of the sets, in the order in which they are filled."""

APPLY_TO = {
    "LearnOnly": ("Learn",),
    "ValidationOnly": ("Validation",),
    "TestOnly": ("Test",),
    "NoLearn": ("Validation", "Test"),
    "NoValidation": ("Learn", "Test"),
    "NoTest": ("Learn", "Validation"),
    "All": SETS,
}
"""The sets of stimuli that each value of ApplyTo means."""

_ROUNDING = 1e-9  # what 1 - V + V may exceed 1 by
_FEW = 8192  # items of which taking one out of a list is faster than anything else
_AT_ONCE = 1 << 15  # items that are taken at once from more


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


def counts_of_label(stimuli: int, learn: float, validation: float, test: float) -> tuple[int, int, int]:
    """As :func:`counts`, for the stimuli of one label: what is left after learning is what the others share."""
    share = validation / (validation + test) if validation > 0 else 0.0
    to_learn = half_up(stimuli * learn)
    rest = min(half_down(stimuli * (validation + test)), stimuli - to_learn)
    to_validation = half_up(rest * share)
    return to_learn, to_validation, min(half_down(rest * (1 - share)), stimuli - to_learn - to_validation)


def take(pool: Sequence[int], ranks: Sequence[int] | NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Take ``pool[rank]`` out of the pool for one rank after the other, the rest closing ranks each time.

    Returns what was taken, in that order, and what is left, in the pool's order.
    """
    if len(pool) <= _FEW:
        left = list(pool)
        return [left.pop(rank) for rank in ranks], left
    rest, taken = np.asarray(pool, np.int64), []
    for start in range(0, len(ranks), _AT_ONCE):
        places = _places(np.asarray(ranks[start : start + _AT_ONCE], np.int64))
        taken.append(rest[places])
        rest = np.delete(rest, places)
    return (np.concatenate(taken).tolist() if taken else []), rest.tolist()


def _places(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the items stand, before any of them is taken, that one rank after the other takes.

    By halves: if both halves are known, each as if it were the first to take, then an item of the second half stands
    behind those of the first half, in the sorted list of which the i-th one is p, for which p - i <= its place. All
    halves of one size are done at once.
    """
    size = 1 << max(len(ranks) - 1, 0).bit_length()
    far = np.int64(1) << 40  # beyond all places: what is there takes part in nothing
    places = np.full(size, far >> 1)
    places[: len(ranks)] = ranks
    ordered, width = places, 1
    while width < size:
        pairs = places.reshape(-1, 2, width)
        apart = (np.arange(len(pairs)) * far)[:, np.newaxis]  # one search for all pairs
        bounds = ordered.reshape(-1, 2, width)[:, 0] - np.arange(width) + apart
        behind = np.searchsorted(bounds.ravel(), (pairs[:, 1] + apart).ravel(), side="right")
        pairs[:, 1] += behind.reshape(-1, width) - (np.arange(len(pairs)) * width)[:, np.newaxis]
        width *= 2
        ordered = np.sort(places.reshape(-1, width), axis=1)
    return places[: len(ranks)]


class Partition:
    """Stimuli, by their ids, in the sets of :data:`SETS` or in none of them yet.

    With ``random`` each stimulus that goes to a set is drawn from those in no set; else the first one goes.
    The draws are made even where all of them go, so that a test set is in random order too, as in N2D2.
    """

    def __init__(self, generator: Generator, random: bool = True) -> None:
        self._generator = generator
        self.random = random
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
        if self.random:
            ranks = self._generator.below(np.arange(available, available - count, -1, dtype=np.int64))
            taken, self.unpartitioned = take(self.unpartitioned, ranks)
        else:
            taken, self.unpartitioned = self.unpartitioned[:count], self.unpartitioned[count:]
        self.sets[name].extend(taken)

    def split(self, learn: float, validation: float, test: float, place: Place | None = None) -> None:
        """Move fractions of the stimuli that are in no set to the three sets; see :func:`counts`."""
        shares = counts(len(self.unpartitioned), learn, validation, test, place)
        for name, count in zip(SETS, shares, strict=True):
            self.move(count, name)

    def split_per_label(
        self,
        learn: float,
        validation: float,
        test: float,
        equal: bool,
        labels: NDArray[np.integer],
        count: int | None = None,
        place: Place | None = None,
    ) -> None:
        """Move fractions of the stimuli of each label to the three sets, label after label.

        ``labels``: the label of every stimulus by its id; stimuli of label -1 stay where they are. With ``equal``
        every label gives as many as the one with the fewest stimuli has; of ``count`` labels (default: the largest
        label and those below) one without stimuli then leaves all sets empty, which gives a warning.
        """
        counts(0, learn, validation, test, place)  # for the error about the fractions
        count = count if count is not None else int(labels.max(initial=-1)) + 1
        pool = np.array(self.unpartitioned, np.int64)
        order = np.argsort(labels[pool], kind="stable")
        bounds = np.searchsorted(labels[pool][order], np.arange(count + 1))
        groups = [pool[order[start:end]].tolist() for start, end in pairwise(bounds.tolist())]
        if equal:
            for index in range(1, len(groups)):
                if len(groups[index]) < len(groups[0]):
                    groups[0], groups[index] = groups[index], groups[0]
        moved = np.zeros(len(labels), np.bool_)
        for group in groups:
            shares = counts_of_label(len(groups[0]) if equal else len(group), learn, validation, test)
            wanted = sum(shares)
            ranks = np.zeros(wanted, np.int64)
            if self.random:
                ranks = self._generator.below(np.arange(len(group), len(group) - wanted, -1, dtype=np.int64))
            taken, _ = take(group, ranks.tolist())
            moved[taken] = True
            start = 0
            for name, share in zip(SETS, shares, strict=True):
                self.sets[name].extend(taken[start : start + share])
                start += share
        self.unpartitioned = pool[~moved[pool]].tolist()
        if not moved.any() and len(pool):
            empty = [index for index, group in enumerate(groups) if not group]
            console.warning(
                "no stimulus was partitioned"
                + (f", because label {empty[0]} has no stimuli and all labels give as many" if equal and empty else "")
            )

    def keep(self, ids: Container[int]) -> None:
        """Leave out of all sets every stimulus that is not one of ``ids``."""
        for name, members in self.sets.items():
            self.sets[name] = [stimulus for stimulus in members if stimulus in ids]
        self.unpartitioned = [stimulus for stimulus in self.unpartitioned if stimulus in ids]
