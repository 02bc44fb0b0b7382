from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.data import partition as module
from n2d2py.data.partition import Partition, counts, half_down, half_up, take
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError, Place


def test_halves() -> None:
    assert [half_up(value) for value in (0.5, 1.5, -0.5, 2.4)] == [1, 2, 0, 2]
    assert [half_down(value) for value in (0.5, 1.5, -0.5, 2.6)] == [0, 1, -1, 3]


@pytest.mark.parametrize(
    ("stimuli", "fractions", "expected"),
    [
        (123, (0.4, 0.2, 0.4), (49, 25, 49)),
        (10, (0.8, 0.2, 0), (8, 2, 0)),
        (60000, (0.8, 0.2, 0), (48000, 12000, 0)),
        (10000, (0, 0, 1), (0, 0, 10000)),
        (5, (0.5, 0.5, 0), (3, 2, 0)),
        (0, (0.5, 0.5, 0), (0, 0, 0)),
        (75, (1 - 0.9, 0.9, 0), (7, 67, 0)),  # 7.4999... and 67.5: one stimulus stays in no set
    ],
)
def test_counts(stimuli: int, fractions: tuple[float, float, float], expected: tuple[int, int, int]) -> None:
    assert counts(stimuli, *fractions) == expected


def test_fractions_above_one_are_an_error_with_its_place() -> None:
    with pytest.raises(ParameterError, match="not a partition") as error:
        counts(10, 0.8, 0.3, 0, Place("net.ini", 3))
    assert "net.ini:3" in str(error.value)


@given(st.integers(0, 2000), st.floats(0, 1))
def test_counts_of_one_fraction_and_its_rest_leave_at_most_one_stimulus(stimuli: int, validation: float) -> None:
    learn, valid, test = counts(stimuli, 1 - validation, validation, 0)
    assert test == 0
    assert stimuli - 1 <= learn + valid <= stimuli


@given(st.lists(st.integers(0, 10**6), max_size=80))
def test_take_is_deletion_from_a_list(draws: list[int]) -> None:
    pool = list(range(100, 100 + len(draws)))
    left, expected, ranks = list(pool), [], []
    for draw in draws[: len(draws) // 2 + 1]:
        ranks.append(draw % len(left))
        expected.append(left.pop(ranks[-1]))
    assert take(pool, ranks) == (expected, left)
    with pytest.MonkeyPatch.context() as patch:  # the way of large pools, in several rounds
        patch.setattr(module, "_FEW", -1)
        patch.setattr(module, "_AT_ONCE", 7)
        assert take(pool, np.array(ranks, np.int64)) == (expected, left)


def test_take_from_a_large_pool() -> None:
    pool = list(range(20_000))
    ranks = Generator(1).below(np.arange(20_000, 8_000, -1, dtype=np.int64))
    left = list(pool)
    assert take(pool, ranks) == ([left.pop(rank) for rank in ranks.tolist()], left)


def test_in_order() -> None:
    partition = Partition(Generator(42), random=False)
    partition.add(range(10))
    partition.split(0.8, 0.2, 0)
    assert partition.sets == {"Learn": list(range(8)), "Validation": [8, 9], "Test": []}
    assert partition.unpartitioned == []


def test_at_random_each_stimulus_is_drawn_from_those_that_are_left() -> None:
    # The integers of [0, 9], [0, 8], ... that seed 42 gives: 3, 7, 7, 1, 4, 3, 2, 1, 0, 0.
    partition = Partition(Generator(42))
    partition.add(range(10))
    generator, left, expected = Generator(42), list(range(10)), []
    for remaining in range(10, 0, -1):
        expected.append(left.pop(generator.integer(0, remaining - 1)))
    partition.split(0.5, 0.3, 0.2)
    assert partition.sets == {"Learn": expected[:5], "Validation": expected[5:8], "Test": expected[8:]}
    assert expected[:3] == [3, 8, 9]


def test_a_set_that_takes_everything_is_in_random_order_too() -> None:
    partition = Partition(Generator(42))
    partition.add(range(100))
    partition.split(0, 0, 1)
    assert partition.sets["Test"] != list(range(100))
    assert sorted(partition.sets["Test"]) == list(range(100))


def test_more_than_there_are() -> None:
    partition = Partition(Generator(42))
    partition.add(range(3))
    with pytest.raises(ValueError, match="4 stimuli are wanted for Learn, 3 are left"):
        partition.move(4, "Learn")
