"""Lines that ONNX Runtime computes: equal at the edges means equal on the whole range."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from integer.networks import Dims, edge

from n2d2py.export.qlinear.fitting import double_lines, float_line, integer_line, steps_of
from n2d2py.integer.requantize import requantize

LOW, HIGH = -300, 900


def found(slope: float, offset: float, highest: int):
    """The rescaling of a step function on a range that is small enough to look at all of it."""

    def step(accumulators: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(accumulators * slope + offset, 0, highest)).astype(np.int64)

    source = edge("sum", Dims(1, 1, 1), LOW, HIGH)
    return requantize(step, source.low, source.high, highest).rescaling, source


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.001, 0.5).flatmap(lambda value: st.sampled_from([value, -value])),
    st.floats(-20, 20),
    st.sampled_from([1, 3, 7, 15, 200, 255]),
)
def test_equal_on_every_accumulator(slope: float, offset: float, highest: int) -> None:
    rescaling, source = found(slope, offset, highest)
    (steps,) = steps_of(rescaling, source)
    everything = np.arange(LOW, HIGH + 1)
    codes = rescaling.codes(everything[None])[0]
    line = integer_line(steps, [8, 4, 1], 2, highest)
    if line is not None:
        sums = line.factor * line.sign * 2 * everything + line.bias
        y = np.clip(np.rint(sums.astype(np.float32) * np.float32(line.scale)), 0, highest)
        assert np.array_equal(y, codes)
    real = float_line(steps, highest)
    if real is not None:
        y = np.clip(np.rint(everything.astype(np.float32) * real[0] + real[1]), 0, highest)
        assert np.array_equal(y, codes)
    doubles = double_lines(rescaling, source)
    if doubles is not None:
        y = np.floor(everything.astype(np.float64) * doubles[0][0] + doubles[1][0])
        assert np.array_equal(np.clip(y, 0, highest), codes)


def test_four_bits_are_found() -> None:
    rescaling, source = found(0.0217, 0.3, 15)
    (steps,) = steps_of(rescaling, source)
    assert integer_line(steps, [8], 1, 15) is not None
    assert float_line(steps, 15) is not None


def test_a_constant_channel() -> None:
    rescaling, source = found(0.0, 5.0, 15)
    (steps,) = steps_of(rescaling, source)
    line = integer_line(steps, [8], 1, 15)
    assert line is not None
    assert (line.factor, line.bias, line.scale) == (0, 5, 1.0)
