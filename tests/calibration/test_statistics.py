"""What the calibration sees, keeps and takes up again."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from calibration.networks import CHAIN, batches, learned
from n2d2py.calibration import statistics
from n2d2py.calibration.preparation import prepared
from n2d2py.errors import DataError, LearningError
from n2d2py.quant.grid import Coded

CELLS = ["conv1", "fc1"]


@pytest.fixture(scope="module")
def plain():
    return prepared(learned(CHAIN))


def test_the_outputs_of_all_stimuli_are_counted(plain):
    images = batches(plain)
    seen = statistics.collect(plain, CELLS, images, 100, "Validation")
    assert (seen.stimuli, seen.set) == (12, "Validation")
    outputs = [plain.evaluate(Coded(batch.inputs), ["conv1"])["conv1"].real() for batch in images]
    everything = torch.cat(outputs)
    histogram = seen.outputs["conv1"]
    assert (histogram.low, histogram.high) == (float(everything.min()), float(everything.max()))
    assert histogram.total == everything.numel()
    assert histogram.zeros == int((everything == 0).sum())


def test_no_more_stimuli_than_wanted(plain):
    seen = statistics.collect(plain, CELLS, batches(plain), 5, "Test")
    assert seen.stimuli == 5
    assert seen.outputs["fc1"].total == 5 * 10


def test_a_value_that_is_not_finite_names_its_cell():
    plain = prepared(learned(CHAIN))
    with torch.no_grad():
        plain.layers["fc1"].biases[0] = float("inf")
    with pytest.raises(LearningError, match=r"cell fc1 gives values from .* to inf in the calibration") as caught:
        statistics.collect(plain, CELLS, batches(plain), 5, "Test")
    assert "net.ini" in str(caught.value)
    assert "check the weights" in str(caught.value)


def test_what_is_kept_comes_back(plain, tmp_path):
    seen = statistics.collect(plain, CELLS, batches(plain), 12, "Test")
    statistics.keep(seen, tmp_path / "calibration", "mark")
    again = statistics.reload(tmp_path / "calibration", "mark", CELLS)
    assert (again.stimuli, again.set) == (12, "Test")
    for cell in CELLS:
        one, other = seen.outputs[cell], again.outputs[cell]
        assert (one.width, one.zeros, one.low, one.high) == (other.width, other.zeros, other.low, other.high)
        assert np.array_equal(one.counts, other.counts)
    rows = list(csv.reader((tmp_path / "calibration/outputs_range.csv").read_text().splitlines()))
    assert rows[0] == ["cell", "min", "max", "values", "zeros"]
    assert [row[0] for row in rows[1:]] == CELLS


def test_nothing_to_reload(tmp_path):
    with pytest.raises(DataError, match="there is no calibration in") as caught:
        statistics.reload(tmp_path, "mark", CELLS)
    assert "outputs_histogram.safetensors" in str(caught.value)
    assert "leave -calib-reload out" in str(caught.value)


def test_the_calibration_of_another_network(plain, tmp_path):
    statistics.keep(statistics.collect(plain, CELLS, batches(plain), 4, "Test"), tmp_path, "mark")
    with pytest.raises(DataError, match="of another network") as caught:
        statistics.reload(tmp_path, "other", CELLS)
    assert "the same -no-cle" in str(caught.value)


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"x" * 100])
def test_a_damaged_file(plain, tmp_path, damage):
    statistics.keep(statistics.collect(plain, CELLS, batches(plain), 4, "Test"), tmp_path, "mark")
    file = tmp_path / statistics.HISTOGRAMS
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match="the calibration is damaged"):
        statistics.reload(tmp_path, "mark", CELLS)


def test_a_cell_that_is_missing_in_the_file(plain, tmp_path):
    statistics.keep(statistics.collect(plain, ["conv1"], batches(plain), 4, "Test"), tmp_path, "mark")
    with pytest.raises(DataError, match="the calibration is damaged"):
        statistics.reload(tmp_path, "mark", CELLS)


def test_the_fingerprint_changes_with_any_weight(plain):
    other = prepared(learned(CHAIN))
    assert statistics.fingerprint(plain) == statistics.fingerprint(other)
    with torch.no_grad():
        other.layers["fc2"].biases[0] += 1e-3
    assert statistics.fingerprint(plain) != statistics.fingerprint(other)
