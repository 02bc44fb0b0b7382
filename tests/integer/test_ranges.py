"""Bounds of sums and widths of words."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.errors import IntegerError
from n2d2py.integer.ranges import WIDEST, check_width, sum_bounds, word_bits


def test_bounds_are_reached_and_exact_beyond_64_bits() -> None:
    weights = np.array([[2, -3], [0, 0]])
    low, high = sum_bounds(weights, np.array([-1, 0]), np.array([5, 7]), "fc")
    assert (low.tolist(), high.tolist()) == ([-23, 0], [10, 0])
    wide = np.array([(1 << 60) - 1, (1 << 60) - 1])
    low, high = sum_bounds(np.array([[2, 1]]), -wide, wide, "fc")
    assert high.tolist() == [3 * ((1 << 60) - 1)]
    with pytest.raises(IntegerError, match=r"cell fc can reach .* more than 62 bits") as error:
        sum_bounds(np.array([[200, -200]]), -wide, wide, "fc")
    assert "QAct=SAT" in str(error.value)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (0, 1, 2), (-1, 0, 1), (-2, 1, 2), (-128, 127, 8), (-129, 0, 9)]
)
def test_word_bits(low: int, high: int, bits: int) -> None:
    assert word_bits(low, high) == bits


def test_outputs_may_see_inputs_of_their_own() -> None:
    low, high = sum_bounds(np.array([[1, -2], [1, -2]]), np.array([[0, 0], [-1, 0]]), np.array([[3, 4], [0, 1]]), "c")
    assert (low.tolist(), high.tolist()) == ([-8, -3], [3, 0])


def test_the_widest_accumulator_is_below_2_to_62() -> None:
    check_width(np.array([1 - WIDEST]), np.array([WIDEST - 1]), "fc")
    with pytest.raises(IntegerError, match="cell fc can reach 4611686018427387904"):
        check_width(np.array([-WIDEST]), np.array([0]), "fc")
