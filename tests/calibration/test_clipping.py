"""Each clipping mode beside a slow search by its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from n2d2py import options
from n2d2py.calibration import clipping
from n2d2py.calibration.clipping import clip
from n2d2py.calibration.histogram import BINS, Histogram, of_values


def drawn(kind: str, count: int = 3000, seed: int = 0) -> Histogram:
    random = np.random.default_rng(seed)
    values = {
        "normal": random.normal(size=count),
        "rectified": np.maximum(random.normal(size=count), 0),
        "laplace": random.laplace(size=count),
        "outlier": np.append(random.normal(size=count), 40.0),
        "uniform": random.uniform(-1, 1, size=count),
    }[kind]
    return of_values(torch.from_numpy(values))


KINDS = ("normal", "rectified", "laplace", "outlier", "uniform")


def squares(histogram: Histogram, threshold: float, levels: int) -> float:
    """The error of one threshold, bin by bin."""
    step, total = threshold / levels, 0.0
    for place, count in enumerate(histogram.counts):
        value = min((place + 0.5) * histogram.width, histogram.largest)
        total += int(count) * (value - min(round(value / step), levels) * step) ** 2
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("levels", [7, 127])
def test_mse_is_the_best_of_its_candidates(kind, levels):
    histogram = drawn(kind, 400)
    found = clip("MSE", histogram, levels)
    place = round(1000 * found / histogram.largest)
    assert found == pytest.approx(histogram.largest * place / 1000, rel=1e-12)
    best = squares(histogram, found, levels)
    for candidate in [*range(max(1, place - 3), min(1000, place + 3) + 1), *range(25, 1001, 75)]:
        assert best <= squares(histogram, histogram.largest * candidate / 1000, levels) * (1 + 1e-9)


def divergence(counts: list[int], end: int, levels: int) -> float:
    """P log(P / Q) by loops."""
    reference = [float(count) for count in counts[:end]]
    reference[-1] += sum(counts[end:])
    coarse = [0.0] * end
    for code in range(levels):
        members = [place for place in range(end) if place * levels // end == code]
        filled = [place for place in members if counts[place] > 0]
        for place in filled:
            coarse[place] = sum(counts[other] for other in members) / len(filled)
    total, whole = sum(reference), sum(coarse)
    result = 0.0
    for place in range(end):
        if reference[place] > 0:
            p, q = reference[place] / total, max(coarse[place] / whole, 1e-12)
            result += p * math.log(p / q)
    return result


def test_the_divergence_is_that_of_the_definition():
    counts = np.random.default_rng(1).integers(0, 6, 40)
    for end in (8, 11, 25, 40):
        found = clipping.divergence(counts, end, 8)
        assert found == pytest.approx(divergence(counts.tolist(), end, 8), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_kl_is_the_best_of_its_candidates(kind):
    histogram = drawn(kind)
    found = clip("KL-Divergence", histogram, 127)
    used = histogram.used
    best = clipping.divergence(used, min(len(used), math.ceil(found / histogram.width)), 127)
    for end in np.unique(np.linspace(len(used), 127, histogram.total // 4).astype(int)):
        assert best <= clipping.divergence(used, int(end), 127) + 1e-12


def test_an_outlier_is_clipped_by_all_but_none():
    histogram = drawn("outlier")
    assert clip("None", histogram, 127) == 40.0
    assert clip("Quantile", histogram, 127, 0.999) < 6
    assert clip("MSE", histogram, 7) < 20
    assert clip("KL-Divergence", histogram, 127) < 20


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_quantile_holds_its_share_of_the_values_other_than_0(kind, quantile):
    histogram = drawn(kind)
    found = clip("Quantile", histogram, 127, quantile)
    values = histogram.total - histogram.zeros
    within = sum(
        int(count) for place, count in enumerate(histogram.counts) if (place + 1) * histogram.width <= found
    ) + (0 if found < histogram.largest else int(histogram.used[-1]))
    assert within >= quantile * values - 1e-9
    below = sum(int(count) for place, count in enumerate(histogram.counts) if (place + 2) * histogram.width <= found)
    assert below < quantile * values


@pytest.mark.parametrize("mode", clipping.ACTIVATION_MODES)
def test_without_a_value_there_is_a_threshold(mode):
    assert clip(mode, of_values(torch.zeros(5)), 127, 0.99) == 1.0
    assert clip(mode, Histogram(), 127, 0.99) == 1.0


@pytest.mark.parametrize("mode", ["MSE", "KL-Divergence"])
def test_levels_that_are_finer_than_the_bins_take_all(mode):
    histogram = drawn("laplace")
    assert clip(mode, histogram, BINS) == histogram.largest


def test_one_value_keeps_its_magnitude():
    for mode in ("None", "MSE", "KL-Divergence", "Quantile"):
        assert clip(mode, of_values(torch.tensor([-3.0])), 127, 0.99) == pytest.approx(3.0, rel=1e-3)


def test_the_options_name_the_modes():
    assert options.WEIGHT_CLIPPING == clipping.WEIGHT_MODES
    assert options.ACTIVATION_CLIPPING == clipping.ACTIVATION_MODES
