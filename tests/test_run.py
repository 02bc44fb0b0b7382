"""Whole runs on small data: what they say, which files they write, and that the same seed gives the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
import runs
import torch
from runs import Folder

FLOATS = runs.network()
FOUR_BITS = runs.quantized()
VALIDATED = runs.network(validation=0.25)
NOT_LEARNING = runs.network(validation=0.25, rate=0.0, fillers="WeightsFiller=ConstantFiller\nWeightsFiller.Value=0")
"""Its outputs are 0 for ever, so that it takes everything for the first class: Informedness 0."""


def line(folder: Folder, start: str) -> str:
    """The one line of the last run that begins with ``start``."""
    found = [text for text in folder.said.splitlines() if text.startswith(start)]
    assert len(found) == 1, f"{len(found)} lines begin with {start!r}:\n{folder.said}"
    return found[0]


def rate(folder: Folder) -> str:
    return line(folder, "Final recognition rate:")


# Learning


def test_a_learning_run_from_its_first_line_to_its_last(learned):
    run = learned(FLOATS)
    order = [
        "Option -seed: random seed",
        "Option -learn-epoch: learn during N epochs; takes precedence over -learn [3]",
        "Loading network configuration file net.ini",
        "Layer: conv1 [Conv(Frame)]",
        "Total number of synapses: 144",
        "Learning database size: 240 images",
        "Notice: normalizing the stimuli in the [0;1] range.",
        "[LOG] Network graph (net.ini.dot, net.ini.png, net.ini.svg)",
        "#epoch 0",
        "#epoch 2",
        "Importing weights from directory 'weights'.",
        "Final recognition rate:",
        "    Sensitivity:",
        "Time elapsed:",
    ]
    places = [run.said.find(text) for text in order]
    assert -1 not in places, dict(zip(order, places, strict=True))
    assert places == sorted(places)
    assert float(rate(run).split()[3].rstrip("%")) > 85  # three classes: a network that guesses has 33


def test_a_learning_run_writes_its_files_and_pictures(folder):
    assert folder.write(FOUR_BITS).run("-learn-epoch 1 -log-kernels", drawn=True) == 0
    assert folder.files() >= {"net.ini.dot", "net.ini.png", "net.ini.svg", "seed.dat", "n2d2py.args"}
    assert {"receptive_fields.log"} <= folder.files()
    tensors = {"conv1_weights", "bn1_scales", "bn1_biases", "bn1_means", "bn1_variances", "bn1_QAct_SAT_Alpha"}
    tensors |= {"fc1_weights", "conv1_quant_weights", "fc1_quant_weights_quant"}
    for name in ("weights", "weights_init"):
        assert set(folder.weights(name)) == {f"{tensor}.syntxt" for tensor in tensors}
    assert {"conv1_weights.distrib.png", "conv1_weights_quant.distrib.png"} <= folder.files("weights")
    assert folder.files("softmax.Target") >= {
        "learning_curve.png",
        "learning_curve.dat",
        "Success_learning.png",
        "Success_test.dat",
        "ConfusionMatrix_learning.png",
        "ConfusionMatrix_test.png",
        "Misclassified_test.dat",
        "labels_mapping.log.dat",
    }
    assert len((folder / "softmax.Target/test/classif.log").read_text().splitlines()) >= 45  # one a stimulus
    assert folder.files("kernels") == {"conv1.dat", "conv1.png", "fc1.dat", "fc1.png"}
    assert {"conv1_map.dat", "pool1_map.dat"} <= folder.files("map")
    assert {"stats.log", "stats.dat"} <= folder.files("stats")
    schedules = {f"{name}_schedule.log" for name in ("conv1_weights", "bn1_scale", "bn1_bias", "fc1_weights")}
    assert folder.files("schedule") >= schedules
    pictures = sorted(folder.path.rglob("*.png"))
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG"), picture
    written = np.loadtxt(folder / "kernels/conv1.dat")
    assert np.array_equal(written, np.loadtxt(folder / "weights/conv1_weights.syntxt"))


def test_learning_by_stimuli(folder):
    assert folder.write(FLOATS).run("-learn 60 -log 30 -report 20") == 0
    reports = [text for text in folder.said.splitlines() if text.startswith("Learning #")]
    assert [text.split()[1] for text in reports] == ["#20", "#40", "#50"]
    rows = (folder / "softmax.Target/learning_curve.dat").read_text().splitlines()
    assert rows[0] == "batch learning validation test"
    assert [row.split()[0] for row in rows[1:]] == ["4", "6"]
    assert "Final recognition rate:" in folder.said


def test_epochs_take_precedence_over_stimuli(folder):
    assert folder.write(FLOATS).run("-learn 60 -learn-epoch 1") == 0
    assert "#epoch 0" in folder.said
    assert "Learning #" not in folder.said


def test_tests_at_the_logs_are_information_only(folder):
    assert folder.write(FLOATS).run("-learn-epoch 2 -log-test") == 0
    tests = [text for text in folder.said.splitlines() if text.startswith("Test at this log (for information only): ")]
    assert len(tests) == 2
    assert tests[-1].split(": ")[1] in rate(folder)
    rows = (folder / "softmax.Target/learning_curve.dat").read_text().splitlines()
    assert "-" not in [row.split()[3] for row in rows[1:]]


# Seeds


def test_the_same_seed_gives_the_same_bytes(learned, folder):
    first = learned(FOUR_BITS)
    again = folder.write(FOUR_BITS)
    assert again.run("-learn-epoch 3") == 0
    assert again.weights() == first.weights()
    assert again.weights("weights_init") == first.weights("weights_init")
    assert rate(again) == rate(first)


def test_another_seed_gives_other_weights(learned, folder):
    assert folder.write(FOUR_BITS).run("-learn-epoch 1", seed=2) == 0
    assert folder.weights("weights_init")["conv1_weights.syntxt"] != (
        learned(FOUR_BITS).weights("weights_init")["conv1_weights.syntxt"]
    )


def test_without_a_seed_learning_draws_one_and_tests_take_that(folder):
    assert folder.write(VALIDATED).run("-learn-epoch 1", seed=None) == 0
    seed = int((folder / "seed.dat").read_text())
    assert 0 < seed < 1 << 32
    after_learning, kept = rate(folder), folder.weights("weights_init")
    assert folder.run("-test", seed=None) == 0
    assert rate(folder) == after_learning
    assert int((folder / "seed.dat").read_text()) == seed
    assert folder.run("-learn-epoch 1", seed=seed) == 0
    assert folder.weights("weights_init") == kept


def test_a_test_without_any_seed_says_what_is_missing(folder):
    assert folder.write(FLOATS).run("-test", seed=None) == 1
    assert "Error: Could not read seed file: seed.dat" in folder.said
    assert "give its -seed" in folder.said


def test_a_seed_of_more_than_32_bits_is_wrong_usage(folder):
    assert folder.write(FLOATS).run("-learn-epoch 1", seed=1 << 32) == 2
    assert "a number below 2^32" in folder.said


# Weights


def test_learning_starts_from_given_weights_and_bears_that_some_are_missing(learned, folder):
    clamped = learned(runs.network(weights=runs.CLAMP))
    assert folder.write(FOUR_BITS).run(f"-learn-epoch 1 -w {clamped / 'weights'}") == 0
    assert f"Notice: Could not open synaptic file: {clamped / 'weights/bn1_QAct_SAT_Alpha.syntxt'}" in folder.said
    given, started = clamped.weights(), folder.weights("weights_init")
    for name in ("conv1_weights", "fc1_weights", "bn1_scales", "bn1_variances"):
        assert started[f"{name}.syntxt"] == given[f"{name}.syntxt"]
    assert started["bn1_QAct_SAT_Alpha.syntxt"].strip() == b"4"  # what QAct.Alpha says


def test_a_test_needs_all_weights_unless_they_are_ignored(learned, folder):
    clamped = learned(runs.network(weights=runs.CLAMP))
    folder.write(FOUR_BITS)
    assert folder.run(f"-test -w {clamped / 'weights'}") == 1
    assert "Error: Could not open synaptic file:" in folder.said
    assert "-w-ignore" in folder.said
    assert folder.run(f"-test -w-ignore -w {clamped / 'weights'}") == 0
    assert "bn1_QAct_SAT_Alpha" in line(folder, "Notice: Could not open synaptic file")


def test_dev_null_keeps_the_initial_weights(folder):
    assert folder.write(FLOATS).run("-test -w /dev/null") == 0
    assert "Importing weights" not in folder.said
    assert "Final recognition rate:" in folder.said


def test_a_test_gives_the_rate_of_the_learning_run(learned, tmp_path):
    run = learned(FLOATS).copy(tmp_path / "copy")
    assert run.run("-test") == 0
    assert "Importing weights from directory 'weights'." in run.said
    assert rate(run) == rate(learned(FLOATS))


def test_a_run_without_learning_and_without_weights_says_how_to_get_some(folder):
    assert folder.write(FLOATS).run("-test") == 1
    assert "there is no folder weights" in folder.said
    assert "n2d2py net.ini -learn-epoch 10 makes weights" in folder.said


def test_a_folder_of_weights_that_is_not_there_is_named_before_anything_is_done(folder):
    assert folder.write(FLOATS).run("-learn-epoch 1 -w nothing") == 1
    assert "there is no folder nothing" in folder.said
    assert "Loading network" not in folder.said
    assert not (folder / "net.ini.dot").exists()


# Validation


def test_the_best_validation_is_saved_tested_and_loaded_again(learned, tmp_path):
    run = learned(VALIDATED).copy(tmp_path / "copy")
    assert "Validation database size: 60 images" in run.said
    assert "    'weights_validation' saved!" in learned(VALIDATED).said
    assert "Importing weights from directory 'weights_validation'." in learned(VALIDATED).said
    assert not (run / "weights").exists()
    assert {"conv1_weights.distrib.png"} <= run.files("weights_validation")
    scores = (run / "softmax.Target/learning_curve.dat").read_text().splitlines()
    assert "-" not in [row.split()[2] for row in scores[1:]]
    assert run.run("-test") == 0
    assert "Importing weights from directory 'weights_validation'." in run.said
    assert rate(run) == rate(learned(VALIDATED))


def test_learning_stops_when_validation_no_longer_improves(folder):
    folder.write(NOT_LEARNING)
    assert folder.run("-learn-epoch 9 -stop-valid 2 -valid-metric Informedness") == 0
    assert folder.said.count("#epoch") == 2
    assert folder.said.count("--- LOWER validation score: 0% [Informedness]") == 2
    assert "--- STOPPING THE LEARNING" in folder.said


def test_what_no_validation_found_good_is_saved_all_the_same(folder):
    """And the validated weights of an earlier run are not taken for those of this one."""
    folder.write(VALIDATED)
    assert folder.run("-learn-epoch 1") == 0
    earlier = folder.weights("weights_validation")
    folder.write(NOT_LEARNING)
    assert folder.run("-learn-epoch 1 -valid-metric Informedness") == 0
    assert line(folder, "Notice: no validation was better than 0").endswith("is saved in weights")
    assert line(folder, "Importing weights") == "Importing weights from directory 'weights'."
    assert not np.loadtxt(folder / "weights/fc1_weights.syntxt").any()
    assert folder.weights("weights_validation") == earlier
    assert "33.3333%" in rate(folder)


# Nothing to do


def test_stopping_by_a_validation_that_there_is_not_is_a_warning(folder):
    assert folder.write(FLOATS).run("-learn-epoch 1 -stop-valid 2") == 0
    assert line(folder, "Warning: -stop-valid") == (
        "Warning: -stop-valid: learning will not stop, because the database gives no validation set"
    )


def test_an_empty_test_set_has_no_rate(folder, tmp_path):
    folder.data = runs.write_data(tmp_path / "data", test=0)
    assert folder.write(FLOATS).run("-learn-epoch 1") == 0
    assert line(folder, "Warning:") == "Warning: the test set is empty: nothing was tested"
    assert "rate" not in folder.said.split("Importing weights")[1]


def test_a_network_without_target_is_drawn_and_not_tested(folder):
    folder.write(FLOATS.replace("[softmax.Target]", ""))
    assert folder.run("-w /dev/null") == 0
    assert (folder / "net.ini.dot").exists()
    for words in ("-test -w /dev/null", "-test -fuse -w /dev/null"):
        assert folder.run(words) == 1
        assert "Error: the network has no target to test" in folder.said
        assert "add a section such as [softmax.Target]" in folder.said


# Devices


@pytest.mark.parametrize(("device", "status"), [("cpu", 0), ("4095", 2), ("tpu", 2)])
def test_devices(device, status, folder):
    assert folder.write(FLOATS).run(f"-test -w /dev/null -dev {device}") == status
    if status:
        assert f"-dev {device}: there is no such device" in folder.said
        assert "cpu, cuda, or the number of a GPU" in folder.said


def test_without_a_gpu_the_cpu_computes_with_a_notice(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    folder.write(FLOATS.replace("DefaultModel=Frame", "DefaultModel=Frame_CUDA"))
    assert folder.run("-test -w /dev/null") == 0
    assert "Notice: DefaultModel asks for a GPU; torch sees none, the CPU computes" in folder.said
    assert folder.run("-test -w /dev/null -dev cpu") == 0
    assert "GPU" not in folder.said.split("Option -dev")[1].split("\n", 1)[1]
    assert folder.run("-test -w /dev/null -dev cuda") == 2
    assert "-dev cuda: there is no GPU that torch can use" in folder.said


def test_every_target_has_its_curve_and_a_wanted_top_n_its_file(folder):
    text = FLOATS + "TopN=2\n\n[fc1.Target-second]\n"
    assert folder.write(text).run("-learn-epoch 1") == 0
    assert folder.said.count("Final recognition rate:") == 2
    assert all((folder / name / "learning_curve.dat").exists() for name in ("softmax.Target", "fc1.Target-second"))
    shares = np.loadtxt(folder / "softmax.Target/SuccessTopN_test.dat")
    ones = np.loadtxt(folder / "softmax.Target/Success_test.dat")
    assert (shares[:, 0] >= ones[:, 0]).all()
    assert not (folder / "fc1.Target-second/SuccessTopN_test.dat").exists()
    told = line(folder, "[LOG] Top-2 rate of softmax.Target: ").split()[-1]
    assert float(told.rstrip("%")) >= float(rate_of_first(folder).rstrip("%"))


def rate_of_first(folder: Folder) -> str:
    return next(text.split()[3] for text in folder.said.splitlines() if text.startswith("Final recognition rate:"))
