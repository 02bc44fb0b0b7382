"""Forms of one or two powers of two: as near as they can be, their errors counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.integer.requantize import requantize
from n2d2py.integer.shifts import approximate
from n2d2py.integer.thresholds import find_thresholds

from .steps import Layer, layers, whole_range


@given(layers(max_span=2000), st.sampled_from(["Single-shift", "Double-shift"]))
@settings(max_examples=100, deadline=None)
def test_forced_shifts_count_their_errors_honestly(layer: Layer, mode: str) -> None:
    found = requantize(layer.step, layer.low, layer.high, layer.highest, mode)
    for multiplier in found.rescaling.multipliers:
        assert abs(int(multiplier)).bit_count() <= (1 if mode == "Single-shift" else 2)
    grid, inside = whole_range(layer)
    clipped = np.clip(grid, layer.low[:, None], layer.high[:, None])
    differ = (found.rescaling.codes(clipped) != layer.step(clipped)) & inside
    assert found.proof.differing.tolist() == differ.sum(axis=1).tolist()
    assert found.proof.exact == (not differ.any())


def test_a_power_of_two_needs_no_more_than_a_shift() -> None:
    found = requantize(
        lambda acc: np.clip((acc + 8) >> 4, 0, 15), np.array([-300]), np.array([300]), 15, "Single-shift"
    )
    assert found.proof.exact


@pytest.mark.parametrize("powers", [1, 2])
def test_a_constant_channel_keeps_its_code(powers: int) -> None:
    low, high = np.array([-5, -5]), np.array([5, 5])
    thresholds = find_thresholds(lambda acc: np.full_like(acc, 3), low, high, 7)
    rescaling = approximate(thresholds, powers)
    assert rescaling.multipliers.tolist() == [0, 0]
    assert np.all(rescaling.codes(np.tile(np.arange(-5, 6), (2, 1))) == 3)


def test_two_powers_are_no_worse_than_one() -> None:
    def step(acc: np.ndarray) -> np.ndarray:
        return np.clip((acc * 3 + 16) >> 5, 0, 15)

    low, high = np.array([-100]), np.array([300])
    single, double = (requantize(step, low, high, 15, mode) for mode in ("Single-shift", "Double-shift"))
    assert single.proof.differing[0] > 0
    assert double.proof.exact
    assert (int(double.rescaling.multipliers[0])).bit_count() == 2
