"""The proof believes nothing: any corruption of multiplier, bias, shift or table is seen, and counted exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.integer.proof import prove
from n2d2py.integer.requantization import Rescaling, Table
from n2d2py.integer.requantize import requantize

from .steps import Layer, layers


def learned(acc: np.ndarray) -> np.ndarray:
    slopes = np.array([[0.0123], [-0.0456]])
    return np.rint(np.clip(acc * slopes + 3.3, 0, 15)).astype(np.int64)


LOW, HIGH = np.array([-2000, -900]), np.array([2000, 1100])


def counted(rescaling: Rescaling, step=learned, low=LOW, high=HIGH) -> list[int]:
    """Differing accumulators by asking at every one of them."""
    counts = []
    for channel in range(len(low)):
        points = np.arange(low[channel], high[channel] + 1)[None].repeat(len(low), axis=0)
        points = np.clip(points, low[:, None], high[:, None])
        counts.append(int((rescaling.codes(points) != step(points))[channel].sum()))
    return counts


@pytest.fixture
def rescaling() -> Rescaling:
    return requantize(learned, LOW, HIGH, 15).rescaling


def test_a_form_that_is_equal_is_proved(rescaling: Rescaling) -> None:
    proof = prove(rescaling, learned, LOW, HIGH)
    assert proof.exact
    assert str(proof) == "exact"
    assert proof.reachable == 4001 + 2001
    assert 0 < proof.points < 100


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize(
    "change",
    [
        lambda r, c: replace(r, biases=bumped(r.biases, c, -1)),
        lambda r, c: replace(r, biases=bumped(r.biases, c, 1 << r.shift)),
        lambda r, c: replace(r, multipliers=bumped(r.multipliers, c, max(1, abs(int(r.multipliers[c])) // 20))),
        lambda r, c: replace(r, multipliers=negated(r.multipliers, c)),
        lambda r, c: replace(r, shift=r.shift + 1),
        lambda r, c: replace(r, shift=r.shift - 1),
        lambda r, c: replace(r, highest=14),
    ],
    ids=["bias - 1", "bias + one code", "multiplier", "sign", "shift + 1", "shift - 1", "clip"],
)
def test_a_corrupted_form_fails_and_its_errors_are_counted(rescaling: Rescaling, change, channel: int) -> None:
    wrong = change(rescaling, channel)
    proof = prove(wrong, learned, LOW, HIGH)
    assert not proof.exact
    assert proof.differing.tolist() == counted(wrong)
    assert proof.differing[channel] > 0
    assert "differ" in str(proof)


def bumped(values: np.ndarray, channel: int, by: int) -> np.ndarray:
    values = values.copy()
    values[channel] += by
    return values


def negated(values: np.ndarray, channel: int) -> np.ndarray:
    values = values.copy()
    values[channel] *= -1
    return values


def test_a_corrupted_table_fails(rescaling: Rescaling) -> None:
    table = np.array([*range(-200, 1300, 100)])
    wrong = replace(rescaling, tables={0: Table(1, table)})
    proof = prove(wrong, learned, LOW, HIGH)
    assert not proof.exact
    assert proof.differing.tolist() == counted(wrong)


def test_overflow_is_no_proof(rescaling: Rescaling) -> None:
    wrong = replace(rescaling, biases=bumped(rescaling.biases, 1, (1 << 63) - 1 - int(rescaling.biases[1])))
    proof = prove(wrong, learned, LOW, HIGH)
    assert proof.overflows == (1,)
    assert not proof.exact
    assert str(proof) == "1 channels overflow"


def test_a_table_must_be_sorted() -> None:
    with pytest.raises(ValueError, match="sorted"):
        Table(1, np.array([3, 2]))


@given(layers(max_span=1500), st.integers(0, 2), st.integers(-(1 << 12), 1 << 12), st.integers(-3, 3))
@settings(max_examples=120, deadline=None)
def test_the_count_is_exact_whatever_is_corrupted(layer: Layer, channel: int, bias: int, multiplier: int) -> None:
    rescaling = requantize(layer.step, layer.low, layer.high, layer.highest).rescaling
    channel %= len(layer.low)
    wrong = replace(
        rescaling,
        biases=bumped(rescaling.biases, channel, bias),
        multipliers=bumped(rescaling.multipliers, channel, multiplier),
    )
    proof = prove(wrong, layer.step, layer.low, layer.high)
    if not proof.overflows:
        assert proof.differing.tolist() == counted(wrong, layer.step, layer.low, layer.high)
