"""Histograms: bins that grow without losing a count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.calibration.histogram import BINS, Histogram, of_values

reals = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30)


@given(st.lists(reals, min_size=1, max_size=5))
def test_parts_give_the_counts_of_the_definition(parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(torch.tensor(part))
    values = np.concatenate([np.float32(part) for part in parts]).astype(np.float64)
    assert (histogram.low, histogram.high) == (values.min(), values.max())
    assert histogram.zeros == np.count_nonzero(values == 0)
    assert histogram.total == len(values)
    magnitudes = np.abs(values[values != 0])
    if len(magnitudes):
        places = np.floor(magnitudes / histogram.width).astype(int)
        assert places.max() < BINS
        assert np.array_equal(histogram.counts, np.bincount(places, minlength=BINS))


def test_a_width_is_doubled_and_pairs_of_bins_are_joined():
    histogram = of_values(torch.tensor([1.0, 0.75, 0.25]))
    assert histogram.width * BINS == 2.0
    before = histogram.counts.copy()
    histogram.add(torch.tensor([5.0]))
    assert histogram.width * BINS == 8.0
    joined = before.reshape(-1, 4).sum(axis=1)
    joined_and_new = np.concatenate([joined, np.zeros(BINS - BINS // 4, dtype=np.int64)])
    joined_and_new[int(5.0 / histogram.width)] += 1
    assert np.array_equal(histogram.counts, joined_and_new)


def test_the_share_beyond_a_threshold():
    histogram = of_values(torch.tensor([0.0, 0.5, -1.0, 3.0]))
    assert histogram.beyond(2.0) == 0.25
    assert histogram.beyond(0.75) == 0.5
    assert histogram.beyond(4.0) == 0.0
    assert Histogram().beyond(1.0) == 0.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="values from"):
        of_values(torch.tensor([1.0, bad]))


def test_nothing_changes_nothing():
    histogram = of_values(torch.empty(0))
    assert (histogram.total, histogram.largest, len(histogram.used)) == (0, 0.0, 0)
