"""Sizes of outputs and counts of taps, against windows that are really slid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.cells.base import Dims
from n2d2py.cells.spatial import axes_text, stride_text, valid_taps
from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims

SMALL = st.integers(1, 5)


@given(st.integers(1, 12), st.integers(1, 6), SMALL, SMALL, st.integers(-3, 4), SMALL)
def test_taps_are_those_of_a_window_that_slides(
    size: int, outputs: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    slid = sum(
        0 <= position * stride - padding + tap * dilation < size for position in range(outputs) for tap in range(window)
    )
    assert valid_taps(size, outputs, window, stride, padding, dilation) == slid


@given(st.integers(1, 20), SMALL, SMALL, st.integers(0, 3), SMALL)
def test_outputs_are_the_places_where_the_window_fits(
    size: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    conv = cell("Conv", f"NbOutputs=1|KernelSize={window}|Stride={stride}|Padding={padding}|Dilation={dilation}")
    reach = dilation * (window - 1) + 1
    places = len(range(-padding, size + padding - reach + 1, stride))
    if places > 0:
        assert conv.outputs([dims(1, size)]) == Dims(places, places, 1)
    else:
        with pytest.raises(GraphError, match="does not fit on an input of"):
            conv.outputs([dims(1, size)])


def test_window_larger_than_the_input() -> None:
    with pytest.raises(GraphError) as error:
        cell("Conv", "NbOutputs=1|KernelSize=5|Padding=1").outputs([dims(1, 8, 2)])
    assert "Conv cell c: a window of 5 does not fit on an input of 2 padded by 1 along X" in str(error.value)
    assert "an input of at least 3; this one is 2x8" in str(error.value)
    assert "net.ini:1, [c]" in str(error.value)


def test_window_larger_than_the_depth() -> None:
    with pytest.raises(GraphError) as error:
        cell("Conv", "NbOutputs=1|KernelDims=1 1 5").outputs([Dims(8, 8, 1, depth=3)])
    assert "a window of 5 does not fit on an input of 3 along Z" in str(error.value)
    assert "this one is 8x8x3" in str(error.value)


@given(SMALL, SMALL, SMALL, SMALL, st.integers(0, 2))
def test_what_is_spread_is_what_a_window_slid_over(
    size: int, window: int, stride: int, dilation: int, padding: int
) -> None:
    keys = f"NbOutputs=1|KernelSize={window}|Stride={stride}|Padding={padding}|Dilation={dilation}"
    if (size - 1) * stride + dilation * (window - 1) + 1 - 2 * padding < 1:
        with pytest.raises(GraphError, match="leaves nothing along X"):
            cell("Deconv", keys).outputs([dims(1, size)])
        return
    spread = cell("Deconv", keys).outputs([dims(1, size)])
    assert cell("Conv", keys).outputs([spread]) == dims(1, size)


def test_sizes_on_a_picture() -> None:
    assert axes_text((3, 5)) == axes_text((3, 5, 1)) == "3x5"
    assert axes_text((3, 5, 2)) == "3x5x2"


def test_stride_on_a_picture() -> None:
    assert stride_text((2, 2)) == "2"
    assert stride_text((2, 1)) == "2x1"
