"""The interval of slopes is that of all straight lines with the same codes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings

from n2d2py.integer.slopes import find_slopes
from n2d2py.integer.thresholds import find_thresholds

from .steps import Layer, layers


@given(layers(max_span=40, max_channels=1))
@settings(max_examples=150, deadline=None)
def test_the_interval_of_slopes_is_that_of_all_pairs(layer: Layer) -> None:
    thresholds = find_thresholds(layer.step, layer.low, layer.high, layer.highest)
    slopes = find_slopes(thresholds)
    first, last = int(thresholds.first[0]), int(thresholds.last[0])
    values = [int(value) for value in thresholds.values[0]]
    if thresholds.constant[0]:
        assert slopes.feasible[0]
        return
    low, high = Fraction(0), None
    for i, reached in enumerate(values):
        for j, unreached in enumerate(values):
            if reached > last or unreached <= first:
                continue
            rise, run = j - i, unreached - 1 - reached
            if run < 0:
                low = max(low, Fraction(rise, run))
            elif run > 0:
                high = Fraction(rise, run) if high is None else min(high, Fraction(rise, run))
    assert bool(slopes.feasible[0]) == (high is None or low < high)
    if slopes.feasible[0]:
        assert Fraction(int(slopes.low_p[0]), int(slopes.low_q[0])) == low
        assert (int(slopes.high_q[0]) == 0) == (high is None)
        if high is not None:
            assert Fraction(int(slopes.high_p[0]), int(slopes.high_q[0])) == high


def test_a_straight_line_has_its_slope_inside() -> None:
    thresholds = find_thresholds(lambda acc: np.clip((acc + 2) // 4, 0, 15), np.array([-9]), np.array([99]), 15)
    slopes = find_slopes(thresholds)
    assert slopes.feasible.tolist() == [True]
    low = Fraction(int(slopes.low_p[0]), int(slopes.low_q[0]))
    high = Fraction(int(slopes.high_p[0]), int(slopes.high_q[0]))
    assert low < Fraction(1, 4) < high
    assert (low, high) == (Fraction(14, 57), Fraction(14, 55))


def test_unequal_steps_have_no_line() -> None:
    edges = np.array([0, 1, 10, 11, 30])
    thresholds = find_thresholds(
        lambda acc: np.searchsorted(edges, acc, side="right").astype(np.int64), np.array([-5]), np.array([50]), 5
    )
    assert find_slopes(thresholds).feasible.tolist() == [False]


def test_nothing_is_searched_where_products_would_not_fit() -> None:
    low, high = np.array([0, 0]), np.array([1 << 52, 1 << 52])
    thresholds = find_thresholds(lambda acc: np.minimum(acc >> 36, 65535) * np.array([[1], [0]]), low, high, 65535)
    assert find_slopes(thresholds).feasible.tolist() == [False, True]  # the second one is constant
