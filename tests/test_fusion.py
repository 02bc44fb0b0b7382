"""-qat-sat and -fuse on small learned networks: what is proved, printed and written, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import runs
from integer import reader
from runs import Folder

from n2d2py import fusion
from n2d2py.integer.requantize import MODES
from n2d2py.integer.verify import Comparison, Verification

FOUR_BITS = runs.quantized()


def rate(folder: Folder) -> list[str]:
    """The block of results of the last test."""
    lines = folder.said.splitlines()
    start = next(index for index, text in enumerate(lines) if text.startswith("Final recognition rate:"))
    return lines[start : start + 3]


def labels(folder: Folder) -> list[list[str]]:
    """Stimulus, target and estimate of every test image."""
    return [row.split()[:4] for row in (folder / "softmax.Target/test/classif.log").read_text().splitlines()]


# -qat-sat


@pytest.fixture(scope="module")
def fused(learned, tmp_path_factory) -> Folder:
    """The 4-bit network after ``-test -qat-sat -w weights``."""
    run = learned(FOUR_BITS).copy(tmp_path_factory.mktemp("fused") / "run")
    assert run.run("-test -qat-sat -w weights") == 0, run.said
    return run


def test_no_code_and_no_label_differs(fused):
    assert "Fuse the QAT Graph for hardware compatibility..." in fused.said
    # conv1 and bn1 4x6x6, pool1 4x3x3, fc1 3, for each of the 45 images
    codes = 45 * (2 * 4 * 6 * 6 + 4 * 3 * 3 + 3)
    assert f"0 of {codes} codes differ, 0 of 45 labels differ (45 stimuli)" in fused.said.splitlines()


@pytest.mark.parametrize("inner", ["Binary", "SAT\nQWeight.Quantizer.Range=3", "DoReFa\nQWeight.Quantizer.Range=7"])
def test_weights_that_were_pruned_before_a_grid_without_zero_are_proved(folder, inner):
    pruned = "QWeight=Prune\nQWeight.PruningMode=Static\nQWeight.Threshold=0.5\nQWeight.Quantizer="
    text = runs.network(weights=pruned + inner, activation=runs.CODES).replace("QWeight.ApplyScaling=1", "")
    folder.write(text)
    assert folder.run("-learn-epoch 1 -qat-sat -verify") == 0, folder.said
    assert "0 of 45 labels differ" in folder.said


def test_the_manifest_lists_levels_that_are_uneven(folder):
    levels = "QWeight=LSQ\nQWeight.Levels=-4 -1 0 2 7"
    text = runs.network(weights=levels, activation=runs.CODES).replace("QWeight.ApplyScaling=1", "")
    assert folder.write(text).run("-learn-epoch 1 -qat-sat") == 0, folder.said
    operations = json.loads((folder / "weights_quantized/manifest.json").read_text())["operations"]
    found = [operation["weights"] for operation in operations if "weights" in operation]
    assert [one["uneven"] for one in found] == [[-4, -1, 0, 2, 7]] * 2
    assert [one["bits"] for one in found] == [3, 3]


def test_pruned_weights_without_a_quantizer_are_told_which_key_is_missing(folder):
    text = runs.network(weights="QWeight=Prune", activation=runs.CODES).replace("QWeight.ApplyScaling=1", "")
    assert folder.write(text).run("-learn-epoch 1 -qat-sat") == 1
    assert "QWeight.Quantizer=LSQ" in folder.said


@pytest.mark.parametrize("line", ["-test", "-qat-sat", "-test -qat-sat", "-export C", "-verify"])
def test_a_broken_promise_of_accumulators_is_told_by_all_that_makes_integers(learned, tmp_path, line):
    run = learned(FOUR_BITS).copy(tmp_path / "run")
    run.write(FOUR_BITS.replace("[fc1]\n", "[fc1]\nQAcc.Bits=4\n"))
    assert run.run(f"{line} -w weights") == 1
    assert "Error: accumulators of cell fc1 need" in run.said
    assert "QAcc.Bits=4 as promised" in run.said
    assert not (run / "export_C_int4").exists()


def test_the_integer_network_has_the_rate_of_the_quantized_one(learned, fused):
    assert rate(fused) == rate(learned(FOUR_BITS))
    assert labels(fused) == labels(learned(FOUR_BITS))


def test_the_proof_is_printed_as_a_table(fused):
    lines = fused.said.splitlines()
    heading = next(index for index, text in enumerate(lines) if text.startswith("cell         weights"))
    first, last = lines[heading + 2].split(), lines[heading + 3].split()
    assert first[:7] == ["conv1", "+", "bn1", "4", "bits", "4", "bits"]
    assert first[-1] == "exact"
    assert last[0] == "fc1"
    assert lines[heading + 3].endswith("nothing to rescale")
    assert lines[heading + 4].startswith(
        "4 channels in 1 rescaling: every one proved exact on its whole reachable range (multipliers of at most "
    )


def test_weights_quantized_is_integers_and_a_manifest(fused):
    folder = "weights_quantized"
    assert fused.files(folder) >= {"conv1_weights.syntxt", "conv1_biases.syntxt", "fc1_weights.syntxt", "manifest.json"}
    layers = json.loads((fused / f"{folder}/layers.json").read_text())
    assert [layer["cell"] for layer in layers] == ["conv1 + bn1", "fc1"]
    assert (fused / f"{folder}/layers.csv").read_text().splitlines()[1].startswith("conv1 + bn1,4 bits,4 bits,")
    weights = np.array((fused / f"{folder}/conv1_weights.syntxt").read_text().split(), dtype=np.int64)
    assert weights.shape == (4 * 1 * 3 * 3,)
    assert np.abs(weights).max() == 15
    assert np.all(weights % 2 == 1)
    manifest = json.loads((fused / f"{folder}/manifest.json").read_text())
    assert manifest["exact"] is True
    assert manifest["operations"][0]["name"] == "conv1"
    assert len(manifest["ini_sha256"]) == 64


def test_no_batchnorm_and_no_quantizer_is_left_on_the_picture(learned, fused):
    before, after = (learned(FOUR_BITS) / "net.ini.dot").read_text(), (fused / "net.ini.dot").read_text()
    assert "BatchNorm" in before
    assert "SAT" in before
    assert "BatchNorm" not in after
    assert "SAT" not in after
    assert "exact" in after


def test_a_forced_rescaling_tells_its_wrong_steps_and_is_no_failure(fused, tmp_path):
    run = fused.copy(tmp_path / "run")
    assert run.run("-test -qat-sat -w weights -act-rescaling-mode Single-shift") == 0
    row = next(text for text in run.said.splitlines() if text.startswith("conv1 + bn1"))
    assert "exact" not in row
    assert "wrong" in row or "differ" in row
    verdict = next(text for text in run.said.splitlines() if " codes differ, " in text)
    assert int(verdict.split()[0]) > 0
    manifest = json.loads((run / "weights_quantized/manifest.json").read_text())
    assert manifest["exact"] is False
    assert "not every rescaling is exact" in (run / "net.ini.dot").read_text()


@pytest.mark.parametrize("mode", MODES)
def test_a_code_that_differs_is_an_error_unless_the_form_was_forced(mode, fused, tmp_path, monkeypatch):
    differing = Verification(45, (Comparison("bn1", 6480, 1, 0),), 45, 0, 0)
    monkeypatch.setattr(fusion, "verify", lambda *_: differing)
    run = fused.copy(tmp_path / "run")
    status = run.run(f"-test -qat-sat -w weights -act-rescaling-mode {mode}")
    assert "1 of 6480 codes differ" in run.said
    forced = mode in ("Single-shift", "Double-shift")
    assert status == (0 if forced else 1)
    assert ("Error: the integer network is not the learned one: bn1 differs first" in run.said) == (not forced)


def test_the_folder_is_enough_from_pixels_to_labels(folder):
    crop = "[env.Transformation]\nType=PadCropTransformation\nWidth=6\nHeight=6\nBorderType=ConstantBorder"
    text = FOUR_BITS.replace("SizeX=8\nSizeY=8\n", "SizeX=6\nSizeY=6\n")
    text = text.replace("BatchSize=10\n", f"BatchSize=10\n{crop}\n")
    assert folder.write(text).run("-learn-epoch 1 -test -qat-sat") == 0, folder.said
    manifest = json.loads((folder / "weights_quantized/manifest.json").read_text())
    (cut,) = manifest["preprocessing"]["transformations"]
    assert (cut["type"], cut["parameters"]["Width"], cut["parameters"]["Height"]) == ("PadCropTransformation", "6", "6")
    assert "With d = wanted - present size, ceil(d/2) pixels come before" in cut["words"]
    pixels = runs.images(45, 2)[0][:, None, 1:7, 1:7]
    codes = reader.codes_of(manifest["preprocessing"]["codes"], pixels)
    results = reader.infer(folder / "weights_quantized", codes)
    (target,) = manifest["targets"]
    assert (target["name"], target["labels"]) == ("softmax.Target", [["0"], ["1"], ["2"]])
    softmax = next(record for record in manifest["operations"] if record["name"] == target["operation"])
    (logits,) = softmax["inputs"]
    found = results[logits].reshape(45, 3).argmax(axis=1)
    expected = {int(row[0]) - 240: int(row[3]) for row in labels(folder)}  # 240 learning images come first
    assert len(set(expected.values())) > 1
    assert dict(enumerate(found.tolist())) == expected


CHANNELS = """[env.ChannelTransformation-a]
Type=ThresholdTransformation
Threshold=127
MaxValue=255
[env.ChannelTransformation-b]
Type=FlipTransformation
HorizontalFlip=1
"""


def test_the_manifest_tells_how_channels_are_made(folder):
    text = FOUR_BITS.replace("BatchSize=10\n", f"BatchSize=10\n{CHANNELS}\n")
    assert folder.write(text).run("-learn-epoch 1 -test -qat-sat") == 0, folder.said
    manifest = json.loads((folder / "weights_quantized/manifest.json").read_text())
    found = manifest["preprocessing"]
    assert found["transformations"] == []
    (threshold,), (flip,) = found["channels"]["transformations"]
    assert (threshold["type"], flip["parameters"]["HorizontalFlip"]) == ("ThresholdTransformation", "1")
    pixels = runs.images(45, 2)[0]
    planes = np.stack([np.where(pixels > 127, 255, 0), pixels[:, :, ::-1]], axis=1)
    results = reader.infer(folder / "weights_quantized", reader.codes_of(found["codes"], planes))
    (target,) = manifest["targets"]
    softmax = next(record for record in manifest["operations"] if record["name"] == target["operation"])
    estimated = results[softmax["inputs"][0]].reshape(45, 3).argmax(axis=1)
    expected = {int(row[0]) - 240: int(row[3]) for row in labels(folder)}
    assert dict(enumerate(estimated.tolist())) == expected


MAPPED = FOUR_BITS.replace(
    "[pool1]",
    """[conv2]
Input=bn1
Type=Conv
KernelSize=1
NbOutputs=4
NoBias=1
Mapping.SizeX=1
Mapping.SizeY=2
QWeight=SAT
QWeight.Range=15

[bn2]
Input=conv2
Type=BatchNorm
NbOutputs=4
ActivationFunction=Linear
QAct=SAT
QAct.Range=15

[pool1]""",
).replace("[pool1]\nInput=bn1", "[pool1]\nInput=bn2")


def test_absent_connections_are_not_drawn_as_weights(folder):
    assert folder.write(MAPPED).run("-qat-sat -w /dev/null") == 0, folder.said
    weights = np.array((folder / "weights_quantized/conv2_weights.syntxt").read_text().split(), dtype=np.int64)
    drawn = (folder / "weights_quantized/conv2_weights_quant.distrib.dat").read_text().split()
    assert 0 < np.count_nonzero(weights == 0) == weights.size - len(drawn)
    assert "conv2 + bn2  4 bits + mask" in folder.said


def test_round_modes_are_explained(fused, tmp_path):
    run = fused.copy(tmp_path / "run")
    assert run.run("-test -qat-sat -w weights -wt-round-mode RINTF -b-round-mode RINTF") == 0
    assert "Notice: -wt-round-mode RINTF, -b-round-mode RINTF: nothing is left to choose" in run.said


def test_learning_and_fusing_in_one_run(folder):
    assert folder.write(FOUR_BITS).run("-learn-epoch 1 -qat-sat") == 0
    assert "0 of 14715 codes differ" in folder.said


def test_a_network_without_target_is_compared_all_the_same(folder):
    folder.write(FOUR_BITS.replace("[softmax.Target]", ""))
    assert folder.run("-qat-sat -w /dev/null") == 0
    assert "0 of 14715 codes differ, 0 of 45 labels differ" in folder.said
    assert "Final recognition rate" not in folder.said


def test_without_stimuli_only_the_proof_is_said_to_hold(folder, tmp_path):
    folder.data = runs.write_data(tmp_path / "data", test=0)
    assert folder.write(FOUR_BITS).run("-qat-sat -w /dev/null") == 0
    assert "Warning: there are no stimuli to compare the two networks on; what holds is the proof above" in folder.said
    assert "codes differ" not in folder.said


REAL_INPUT = "[env.Transformation_0]\nType=RangeAffineTransformation\nFirstOperator=Divides\nFirstValue=255.0"


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (
            runs.network(weights=runs.CLAMP, activation=runs.CODES),
            "Conv cell conv1 has no exact integer form: its weights are only clamped (QWeight.ApplyQuantization=0)",
            "learn on with QWeight.ApplyQuantization=1 from the clamped weights (-w weights_clamped)",
        ),
        (
            runs.network(activation=runs.CODES),
            "Conv cell conv1 has no exact integer form: its weights are not quantized",
            "add QWeight=SAT (with QWeight.Range) to the cell",
        ),
    ],
    ids=["clamped", "weights without quantizer"],
)
def test_what_has_no_integer_form_is_a_clear_error(text, what, remedy, folder):
    assert folder.write(text).run("-test -qat-sat -w /dev/null") == 1
    assert f"Error: {what}" in folder.said
    assert remedy in folder.said
    assert "Traceback" not in folder.said
    assert not (folder / "weights_quantized").exists()


# -fuse


@pytest.mark.parametrize("text", [runs.network(), runs.network(weights=runs.CLAMP)], ids=["float", "clamped weights"])
def test_fusing_a_float_network_changes_no_label(text, learned, tmp_path):
    run = learned(text).copy(tmp_path / "run")
    assert run.run("-test -fuse") == 0
    assert rate(run) == rate(learned(text))
    assert labels(run) == labels(learned(text))
    assert "BatchNorm" not in (run / "net.ini.dot").read_text()


def test_a_batchnorm_that_cannot_be_fused_stays_with_a_notice(folder):
    text = runs.network(conv_activation="Rectifier")
    assert folder.write(text).run("-test -fuse -w /dev/null") == 0
    assert "Notice: bn1 is not fused: it does not follow a linear Conv or Fc of its own" in folder.said
    assert "BatchNorm" in (folder / "net.ini.dot").read_text()


def test_fusing_a_quantized_network_is_an_error(learned, tmp_path):
    run = learned(FOUR_BITS).copy(tmp_path / "run")
    assert run.run("-test -fuse") == 1
    assert "Error: -fuse would change the quantized weights of the network" in run.said
    assert "-qat-sat absorbs BatchNorm" in run.said


def test_both_kinds_of_fusion_at_once_are_wrong_usage(folder):
    assert folder.write(FOUR_BITS).run("-test -fuse -qat-sat") == 2
    assert "Error: -fuse and -qat-sat exclude each other" in folder.said
