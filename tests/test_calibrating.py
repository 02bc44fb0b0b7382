"""-calib from the INI file to the integer network, and what is refused."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
import runs
from runs import Folder

FLOAT = runs.network()
VALIDATED = runs.network(validation=0.2)


def table(folder: Folder) -> list[list[str]]:
    """The rows of the comparison."""
    return list(csv.reader((folder / "calibration/results.csv").read_text().splitlines()))


def ranges(folder: Folder) -> dict[str, list[str]]:
    """What was chosen for each cell."""
    rows = list(csv.reader((folder / "calibration/ranges.csv").read_text().splitlines()))
    return {row[0]: row[1:] for row in rows[1:]}


@pytest.fixture(scope="module")
def calibrated(learned, tmp_path_factory) -> Folder:
    """The float network after ``-calib -1``."""
    run = learned(FLOAT).copy(tmp_path_factory.mktemp("calibrated") / "run")
    assert run.run("-calib -1") == 0, run.said
    return run


def test_float_quantized_and_integer_stand_side_by_side(learned, calibrated):
    head, *rows = table(calibrated)
    assert head == ["network", "target", "rate", "points from float", "differing codes"]
    assert [row[0] for row in rows] == ["float", "quantized after learning, 8 bits", "integer network, 8 bits"]
    assert rows[1][2] == rows[2][2]
    assert rows[2][4] == f"0 of {45 * (4 * 6 * 6 + 4 * 3 * 3 + 3)}"
    learning = next(line for line in learned(FLOAT).said.splitlines() if line.startswith("Final recognition rate:"))
    assert rows[0][2] in learning
    final = next(line for line in calibrated.said.splitlines() if line.startswith("Final recognition rate:"))
    assert rows[2][2] in final
    assert "Float and quantized side by side:" in calibrated.said
    assert float(rows[2][3]) >= -5


def test_the_integer_network_is_written_and_proved(calibrated):
    manifest = json.loads((calibrated / "weights_quantized/manifest.json").read_text())
    assert manifest["exact"] is True
    weights = np.array((calibrated / "weights_quantized/conv1_weights.syntxt").read_text().split(), dtype=np.int64)
    assert np.abs(weights).max() == 127
    assert calibrated.files("weights_export") >= {"conv1_weights.syntxt", "conv1_alphaW_LSQ.syntxt"}


def test_it_says_what_it_has_seen(calibrated):
    assert "[LOG] Calibration on 45 stimuli of the test set" in calibrated.said
    assert "Notice: there is no validation set: the calibration sees stimuli of the test set" in calibrated.said
    assert calibrated.files("calibration") >= {"outputs_range.csv", "outputs_histogram.safetensors", "ranges.csv"}
    found = ranges(calibrated)
    assert list(found) == ["conv1", "fc1"]
    assert found["conv1"][-1] == "0..255"
    assert found["fc1"][-1] == "exact sums"


def test_a_saved_calibration_gives_the_same_network(calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    before = run.weights("weights_quantized")
    assert run.run("-calib-reload") == 0, run.said
    assert "calibration of calibration: 45 stimuli of the test set" in run.said
    assert run.weights("weights_quantized") == before


@pytest.mark.parametrize("mode", ["KL-Divergence", "Quantile"])
def test_every_clipping_mode_gives_an_exact_integer_network(mode, calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    weights = mode if mode != "Quantile" else "MSE"
    line = f"-calib 20 -nbbits 5 -act-clipping-mode {mode} -wt-clipping-mode {weights} -act-rescale-per-output 1"
    assert run.run(line) == 0, run.said
    assert table(run)[-1][4].startswith("0 of ")
    assert " exact " in run.said


def test_signed_outputs_only(calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert run.run("-calib-reload -no-unsigned -nbbits 4") == 0, run.said
    assert ranges(run)["conv1"][-1] == "-8..7"
    assert "quantized after learning, 4 bits" in run.said
    assert table(run)[-1][4].startswith("0 of ")


def test_without_equalization_the_weights_stay(calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert "cross-layer equalization: 1 pair of cells; " in run.said
    equalized = ranges(run)["conv1"][0]
    assert run.run("-calib 20 -no-cle") == 0, run.said
    assert "pair of cells" not in run.said
    assert ranges(run)["conv1"][0] != equalized


@pytest.mark.parametrize("mode", ["Fixed-point16", "Single-shift"])
def test_rescaling_modes(mode, calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert run.run(f"-calib 20 -act-rescaling-mode {mode}") == 0, run.said
    differing = int(re.match(r"(\d+) of", table(run)[-1][4]).group(1))
    assert differing == 0 or "shift" in mode


def test_an_export_is_that_of_the_quantized_network(calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert run.run("-calib 20 -nbbits 8 -export ONNX -verify -db-export 5") == 0, run.said
    assert any(path.suffix == ".onnx" for path in (run / "export_ONNX_int8").iterdir())
    assert "0 codes differ (45 stimuli)" in run.said


def test_a_network_without_target_is_calibrated_all_the_same(learned, tmp_path):
    run = learned(FLOAT).copy(tmp_path / "run").write(FLOAT.replace("[softmax.Target]", ""))
    assert run.run("-calib 20") == 0, run.said
    assert "side by side" not in run.said
    assert "0 of " in run.said


def test_the_calibration_takes_the_validation_set_and_as_many_as_are_wanted(folder):
    assert folder.write(VALIDATED).run("-learn-epoch 1 -calib 7") == 0, folder.said
    assert table(folder)[-1][4].startswith("0 of ")
    assert "[LOG] Calibration on 7 stimuli of the validation set" in folder.said
    assert "as in N2D2" not in folder.said
    assert folder.run("-calib 1000") == 0
    assert "Notice: -calib 1000: the validation set has 48 stimuli, and all of them are taken" in folder.said


@pytest.mark.parametrize(
    ("line", "status", "what", "remedy"),
    [
        ("-calib 5 -qat-sat", 2, "-calib and -qat-sat exclude each other", "-qat-sat takes one that has learned"),
        ("-calib -2", 2, "-calib -2", "or -1 for all"),
        ("-calibOnly", 2, "-calibOnly without -calib", "-calib N"),
        ("-calib 5 -calibOnly -export C", 2, "a calibration without export", "leave out one"),
        ("-calib 5 -nbbits 1", 2, "-calib with -nbbits 1", "must learn as such"),
        ("-calib 5 -nbbits 17", 2, "-calib with -nbbits 17", "2 to 16 bits"),
        ("-calib 5 -act-clipping-mode Max", 2, "unreadable value 'Max'", "Quantile"),
        ("-calib 5 -wt-clipping-mode Quantile", 2, "unreadable value 'Quantile'", "KL-Divergence"),
        ("-calib 5 -act-quantile-value 0", 2, "-act-quantile-value", "0"),
        ("-calib 5 -w nowhere", 1, "nowhere", ""),
    ],
)
def test_what_cannot_be_meant_is_said(line, status, what, remedy, calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert run.run(line) == status, run.said
    assert what in run.said
    assert remedy in run.said
    assert "Traceback" not in run.said


def test_no_weights(folder):
    assert folder.write(FLOAT).run("-calib 5") == 1
    assert "weights" in folder.said
    assert "-learn-epoch" in folder.said


def test_a_network_that_learned_quantized_is_refused(learned, tmp_path):
    run = learned(runs.quantized()).copy(tmp_path / "run")
    assert run.run("-calib 5") == 1
    assert "Error: -calib gives quantizers to a float network, and Conv cell conv1 has one" in run.said
    assert "net.ini" in run.said
    assert "-qat-sat makes the integer network" in run.said


def test_no_stimuli(learned, tmp_path):
    run = learned(FLOAT).copy(tmp_path / "run")
    run.data = runs.write_data(tmp_path / "data", test=0)
    assert run.run("-calib 5") == 1
    assert "neither a validation set nor a test set" in run.said
    assert "Validation=0.1" in run.said


def test_a_saved_calibration_of_another_network(calibrated, tmp_path):
    run = calibrated.copy(tmp_path / "run")
    assert run.run("-calib-reload -no-cle") == 1
    assert "-calib-reload: the calibration is of another network" in run.said
    assert "the same -no-cle" in run.said
    (run / "calibration/outputs_histogram.safetensors").unlink()
    assert run.run("-calib-reload") == 1
    assert "there is no calibration in calibration" in run.said


def test_options_without_calib_are_said_to_have_no_effect(learned, tmp_path):
    run = learned(FLOAT).copy(tmp_path / "run")
    assert run.run("-test -no-cle -act-clipping-mode MSE") == 0
    assert "Warning: -act-clipping-mode, -no-cle: no effect without -calib" in run.said
