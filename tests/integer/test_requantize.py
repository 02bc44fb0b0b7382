"""The integer form is equal to the step function on every reachable accumulator, and as small as can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import IntegerError
from n2d2py.integer.requantize import MODES, requantize

from .steps import RANGES, Layer, layers, whole_range


@given(layers(max_span=3000), st.sampled_from(["Floating-point", "Fixed-point", "Fixed-point32", "Fixed-point16"]))
@settings(max_examples=150, deadline=None)
def test_equal_on_every_accumulator(layer: Layer, mode: str) -> None:
    found = requantize(layer.step, layer.low, layer.high, layer.highest, mode)
    assert found.proof.exact
    grid, inside = whole_range(layer)
    clipped = np.clip(grid, layer.low[:, None], layer.high[:, None])
    assert np.array_equal(found.rescaling.codes(clipped), layer.step(clipped))
    assert found.proof.reachable == np.count_nonzero(inside)
    assert found.rescaling.multiplier_bits <= (16 if mode == "Fixed-point16" else 32)


@given(layers(max_span=1 << 30, max_channels=8))
@settings(max_examples=100, deadline=None)
def test_proved_on_wide_ranges(layer: Layer) -> None:
    found = requantize(layer.step, layer.low, layer.high, layer.highest)
    assert found.proof.exact
    assert not found.rescaling.overflows(layer.low, layer.high)
    sample = np.linspace(layer.low, layer.high, 1001).T.astype(np.int64)
    assert np.array_equal(found.rescaling.codes(sample), layer.step(sample))


@given(layers(max_span=1 << 51), st.sampled_from(MODES))
@settings(max_examples=100, deadline=None)
def test_nothing_overflows_on_the_widest_ranges(layer: Layer, mode: str) -> None:
    found = requantize(layer.step, layer.low, layer.high, layer.highest, mode)
    assert found.proof.overflows == ()
    if mode not in ("Single-shift", "Double-shift"):
        assert found.proof.exact
        sample = np.linspace(layer.low, layer.high, 501).T.astype(np.int64)
        sample = np.clip(sample, layer.low[:, None], layer.high[:, None])
        assert np.array_equal(found.rescaling.codes(sample), layer.step(sample))


def test_many_codes_on_a_range_too_wide_for_the_search_count_thresholds() -> None:
    low, high = np.array([0]), np.array([1 << 52])
    found = requantize(lambda acc: np.minimum(acc >> 36, 65535), low, high, 65535)
    assert found.rescaling.form == "thresholds"
    assert found.proof.exact


@given(layers(max_span=60, max_channels=1))
@settings(max_examples=150, deadline=None)
def test_the_shift_is_the_smallest_and_no_multiplier_is_missed(layer: Layer) -> None:
    """Against exhaustive search: all multipliers for all smaller shifts, every bias that could do."""
    found = requantize(layer.step, layer.low, layer.high, layer.highest)
    points = np.arange(layer.low[0], layer.high[0] + 1)
    codes = layer.step(points[None])[0]
    shift = found.rescaling.shift if not found.rescaling.tables else 8
    for smaller in range(min(shift, 5)):
        for multiplier in range(-(layer.highest + 1) << smaller, ((layer.highest + 1) << smaller) + 1):
            low, high = biases(points, codes, multiplier, smaller, layer.highest)
            assert low > high


def biases(points: np.ndarray, codes: np.ndarray, multiplier: int, shift: int, highest: int) -> tuple[int, int]:
    """The interval of biases with which one multiplier gives all codes, from every accumulator."""
    from_below = [(int(c) << shift) - int(p) * multiplier for p, c in zip(points, codes, strict=True) if c > 0]
    from_above = [
        ((int(c) + 1) << shift) - int(p) * multiplier - 1 for p, c in zip(points, codes, strict=True) if c < highest
    ]
    return max(from_below, default=-(1 << 80)), min(from_above, default=1 << 80)


@pytest.mark.parametrize("highest", RANGES)
@pytest.mark.parametrize("weights", RANGES)
def test_trained_looking_layers_of_every_range(weights: int, highest: int) -> None:
    random = np.random.default_rng(1000 * weights + highest)
    channels, bound = 16, 150 * weights * 15
    layer = Layer(
        scale=6.0 / 15 / weights,
        gamma=random.normal(0, 1, channels) * (np.arange(channels) != 3),
        mean=random.normal(0, 1, channels),
        variance=np.where(np.arange(channels) == 5, 0.0, random.uniform(0.01, 4, channels)),
        bias=random.normal(0, 1, channels),
        offset=np.zeros(channels),
        alpha=5.99403,
        highest=highest,
        low=np.full(channels, -bound),
        high=np.full(channels, bound),
    )
    found = requantize(layer.step, layer.low, layer.high, highest)
    assert found.proof.exact
    sample = random.integers(-bound, bound, (channels, 2000))
    assert np.array_equal(found.rescaling.codes(sample), layer.step(sample))


def test_a_step_too_steep_for_the_multiplier_beside_a_flat_one_counts_thresholds() -> None:
    def step(acc: np.ndarray) -> np.ndarray:
        steep = np.where(acc[:1] >= 5, 255, 0)
        flat = np.clip((acc[1:].astype(np.float64) * (255 / 2**31)).round(), 0, 255).astype(np.int64)
        return np.concatenate([steep, flat])

    found = requantize(step, np.array([0, 0]), np.array([2**31, 2**31]), 255, "Fixed-point16")
    assert found.proof.exact
    assert found.rescaling.form == "multiplier, 1 of 2 thresholds"
    assert list(found.rescaling.tables) in ([0], [1])


def test_unequal_steps_have_no_multiplier() -> None:
    edges = np.array([0, 1, 10, 11, 30])
    found = requantize(
        lambda acc: np.searchsorted(edges, acc, side="right").astype(np.int64), np.array([-5]), np.array([50]), 5
    )
    assert found.rescaling.form == "thresholds"
    assert found.proof.exact


def test_dead_channel_keeps_its_constant_code() -> None:
    found = requantize(lambda acc: np.full_like(acc, 7), np.array([0, -9]), np.array([0, 9]), 15)
    assert found.rescaling.multipliers.tolist() == [0, 0]
    assert found.rescaling.codes(np.array([[0], [4]])).tolist() == [[7], [7]]
    assert found.rescaling.shift == 0


def test_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(IntegerError, match="Double-shift") as error:
        requantize(lambda acc: acc, np.array([0]), np.array([1]), 1, "Triple-shift")
    assert all(mode in str(error.value) for mode in MODES)
