from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.data.random import Generator, exchanged


def test_the_stream_is_mt19937_with_the_single_integer_initialiser() -> None:
    assert Generator(1).words(5).tolist() == [1791095845, 4282876139, 3093770124, 4005303368, 491263]
    assert Generator(42).words(3).tolist() == [1608637542, 3421126067, 4083286876]


def test_integers_of_seed_42() -> None:
    generator = Generator(42)
    assert [generator.integer(0, 9) for _ in range(10)] == [3, 7, 9, 1, 7, 7, 5, 5, 1, 4]
    assert Generator(42).integers(0, 9, 10).tolist() == [3, 7, 9, 1, 7, 7, 5, 5, 1, 4]
    assert Generator(42).integers(5, 5, 3).tolist() == [5, 5, 5]
    assert Generator(42).integers(-10, -1, 3).tolist() == [-7, -3, -1]
    with pytest.raises(ValueError, match="no integer in"):
        Generator(1).integer(0, -1)


def test_reals_of_each_interval() -> None:
    word = 1608637542
    assert Generator(42).real() == word / (2**32 - 1)
    assert Generator(42).real(closed="right") == (word + 1) / 2**32
    assert Generator(42).real(closed="left") == word / 2**32
    assert Generator(42).real(-1, 3) == -1 + word / (2**32 - 1) * 4
    with pytest.raises(ValueError, match="both, left or right"):
        Generator(42).real(closed="none")


def test_bernoulli_compares_a_real_below_one() -> None:
    share = 1608637542 / 2**32
    assert not Generator(42).bernoulli(share)
    assert Generator(42).bernoulli(math.nextafter(share, 1))


def test_normals_are_box_muller_cosine_before_sine() -> None:
    first, second = (1608637542 + 1) / 2**32, (3421126067 + 1) / 2**32
    radius, angle = math.sqrt(-2 * math.log(first)), 2 * math.pi * second
    generator = Generator(42)
    assert generator.normal() == pytest.approx(radius * math.cos(angle), rel=1e-15)
    assert generator.normal(1, 2) == pytest.approx(1 + 2 * radius * math.sin(angle), rel=1e-15)
    assert generator.words(1).tolist() == [4083286876]


def test_normals_in_one_call_are_those_of_many_calls() -> None:
    one_by_one, at_once = Generator(7), Generator(7)
    numbers = [one_by_one.normal() for _ in range(11)]
    drawn = [at_once.normals(count) for count in (3, 0, 1, 5, 2)]
    assert np.concatenate(drawn).tolist() == numbers
    assert at_once.words(1) == one_by_one.words(1)


def test_shuffle_exchanges_each_item_with_one_before_it() -> None:
    expected = list(range(10))
    words = Generator(3).words(9).tolist()
    for i in range(1, 10):
        j = int(words[i - 1] / 2**32 * (i + 1))
        expected[i], expected[j] = expected[j], expected[i]
    items, array = list(range(10)), np.arange(10)
    Generator(3).shuffle(items)
    Generator(3).shuffle(array)
    assert items == expected
    assert array.tolist() == expected


def test_shuffle_of_nothing_draws_nothing() -> None:
    for items in ([], [1]):
        generator = Generator(42)
        generator.shuffle(items)
        assert generator.words(1).tolist() == [1608637542]


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_has_32_bits(seed: int) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        Generator(seed)


@given(st.integers(2, 400), st.integers(0, 2**32 - 1))
def test_exchanges_one_after_the_other(count: int, seed: int) -> None:
    others = Generator(seed).below(np.arange(2, count + 1, dtype=np.int64))
    items = list(range(count))
    for i, j in enumerate(others.tolist(), start=1):
        items[i], items[j] = items[j], items[i]
    assert exchanged(others).tolist() == items


@pytest.mark.parametrize("others", [[0] * 9, list(range(1, 10)), list(range(9)), [1, 0, 1, 0, 1, 0]])
def test_exchanges_with_long_chains(others: list[int]) -> None:
    items = list(range(len(others) + 1))
    for i, j in enumerate(others, start=1):
        items[i], items[j] = items[j], items[i]
    assert exchanged(np.array(others)).tolist() == items
