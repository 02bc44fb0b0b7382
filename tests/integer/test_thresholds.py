"""The thresholds are those of the function: every code of every accumulator follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from n2d2py.errors import IntegerError
from n2d2py.integer.thresholds import find_thresholds

from .rational import RealStep
from .steps import Layer, layers


def test_of_a_rising_and_a_falling_channel() -> None:
    def step(acc: np.ndarray) -> np.ndarray:
        slope = np.array([[1], [-1]])
        return np.clip((acc * slope + 2) // 4, 0, 3)

    found = find_thresholds(step, np.array([-8, -8]), np.array([20, 20]), 3)
    assert found.signs.tolist() == [1, -1]
    assert found.values.tolist() == [[2, 6, 10], [2, 6, 9]]  # -acc >= 10 is out of reach: one past the last, 8
    assert found.last.tolist() == [20, 8]
    assert found.constant.tolist() == [False, False]


def test_of_constant_channels() -> None:
    codes = np.array([[0], [2], [3]])
    found = find_thresholds(lambda acc: np.broadcast_to(codes, acc.shape).copy(), -np.arange(3), np.arange(3), 3)
    assert found.constant.all()
    assert found.values.tolist() == [[1, 1, 1], [-1, -1, 2], [-2, -2, -2]]


def test_of_a_channel_with_one_reachable_accumulator() -> None:
    found = find_thresholds(lambda acc: (acc >= 0).astype(np.int64), np.array([0]), np.array([0]), 1)
    assert found.codes(np.array([[0]])).tolist() == [[1]]


def test_refuses_accumulators_that_float64_does_not_hold() -> None:
    with pytest.raises(IntegerError, match=r"float64 is exact only below 2\^53"):
        find_thresholds(lambda acc: np.zeros_like(acc), np.array([0]), np.array([1 << 53]), 1)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda acc: acc.astype(np.float64), "not int64"),
        (lambda acc: np.full_like(acc, 9), "outside 0..3"),
    ],
)
def test_refuses_what_is_no_step_function(step, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_thresholds(step, np.array([-64]), np.array([63]), 3)


@given(layers(max_span=400))
@settings(max_examples=150, deadline=None)
def test_thresholds_give_every_code_of_the_range(layer: Layer) -> None:
    found = find_thresholds(layer.step, layer.low, layer.high, layer.highest)
    for channel in range(len(layer.low)):
        points = np.arange(layer.low[channel], layer.high[channel] + 1)
        grid = np.broadcast_to(points, (len(layer.low), len(points)))
        inside = (grid >= layer.low[:, None]) & (grid <= layer.high[:, None])
        assert np.array_equal(found.codes(grid)[inside], layer.step(grid)[inside])


@given(layers(max_span=1 << 20))
@settings(max_examples=60, deadline=None)
def test_thresholds_agree_with_exact_rational_arithmetic(layer: Layer) -> None:
    """float64 and real numbers part only beside a tie: one accumulator further they agree again, unless a step of
    the accumulator is itself as small as the rounding errors."""
    found = find_thresholds(layer.step, layer.low, layer.high, layer.highest)
    for channel in range(len(layer.low)):
        real = layer.real(channel)
        error = layer.rounding(channel)
        sign = int(found.signs[channel])
        for code in {1, (layer.highest + 1) // 2, layer.highest}:
            threshold = int(found.values[channel, code - 1])
            for point in (threshold, threshold - 1):
                if not int(found.first[channel]) <= point <= int(found.last[channel]):
                    continue
                margin = error if point >= threshold else -error
                # reached: the real value is at least code - 1/2 - error; not reached: at most code - 1/2 + error
                side = real.compare(sign * point, layer.half(code) - margin)
                assert side >= 0 if point >= threshold else side <= 0


def test_rational_code_rounds_ties_to_even() -> None:
    real = RealStep(scale=0.5, gamma=1.0, mean=0.0, variance=1.0, epsilon=0.0, bias=0.0, alpha=4.0, highest=4)
    assert [real.code(acc) for acc in range(-2, 12)] == [0, 0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 4, 4]


def test_rational_code_with_an_infinite_factor() -> None:
    real = RealStep(scale=1.0, gamma=-1.0, mean=2.0, variance=0.0, epsilon=0.0, bias=0.0, alpha=1.0, highest=15)
    assert [real.code(acc) for acc in (1, 3)] == [15, 0]
    with pytest.raises(ValueError, match="undefined"):
        real.code(2)
