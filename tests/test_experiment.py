"""Experiments in YAML: keys, the INI file that they become, a whole run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from runs import Folder

from n2d2py import experiment, ini
from n2d2py.errors import IniError, N2d2Error, ParameterError
from n2d2py.graph.build import build

FOLDER = Path(__file__).parent.parent / "examples" / "exp_cases"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))

DOCUMENTED = """\
exp_name: fxp_w4_acc16_a8_i16_o8_r8   # used to save model name

learning_rate: 0.001
epochs: 20

#quantization
quant: True
quant_type: fxp     # int for general quantization, fxp for fixed point quantization(power of two scaling factor)
no_brevitas: False
w_bit: 4      # bitwidth of weight
acc_bit: 16   # bitwidth of accumulation
a_bit: 8      # bitwidth of activation
i_bit: 16     # bitwidth of input
o_bit: 8      # bitwidth of output
r_bit: 8      # bitwidth of recurrent memory
"""

SMALL = """\
exp_name: small
epochs: 3
learning_rate: 0.02
quant_type: fxp
w_bit: 8
data: Sequence
data_path: data.npz
normalization: {normalization}
window: 6
features: 3
classes: 2
hidden_size: 8
batch_size: 10
validation: 0.25
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def network(found: experiment.Experiment):
    document = ini.loads(found.ini(), file="case.ini", strict=True)
    document.publish("sp", "_EpochSize", 1000)
    return build(document, "case.ini")


def test_the_documented_file(tmp_path: Path) -> None:
    found = experiment.load(written(tmp_path, DOCUMENTED))
    assert (found.exp_name, found.epochs, found.learning_rate) == ("fxp_w4_acc16_a8_i16_o8_r8", 20, 0.001)
    cell = network(found)["rnn"].cell
    bits = {role: quantizer.bits for role, quantizer in cell.quantizers.items()}
    assert bits == {"input": 16, "accumulator": 16, "sigmoid": 8, "tanh": 8, "state": 8, "output": 8}
    assert all(quantizer.power_of_two for quantizer in (*cell.quantizers.values(), cell.weights_quantizer))
    assert cell.weights_quantizer.bits == 4
    assert (cell.seq_length, cell.input_dim) == (100, 40)


def test_int_has_scales_of_any_size_and_float_has_none(tmp_path: Path) -> None:
    found = experiment.load(written(tmp_path, DOCUMENTED.replace("fxp  ", "int  ")))
    assert not any(quantizer.power_of_two for quantizer in network(found)["rnn"].cell.quantizers.values())
    for change in (("quant: True", "quant: False"), ("no_brevitas: False", "no_brevitas: True")):
        plain = network(experiment.load(written(tmp_path, DOCUMENTED.replace(*change))))
        assert not plain["rnn"].cell.is_quantized
        assert plain["fc"].cell.weights_quantizer is None


@pytest.mark.parametrize("name", FILES)
def test_every_example_becomes_a_network(name: str) -> None:
    found = experiment.load(FOLDER / name)
    assert found.exp_name == Path(name).stem
    built = network(found)
    assert [node.cell.type_name for node in built] == ["LSTM", "Fc", "Softmax"]
    assert built["rnn"].cell.is_quantized == found.is_quantized


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        (("w_bit: 4 ", "w_bits: 4 "), "unknown key w_bits", "did you mean w_bit?"),
        (("epochs: 20", "epoch: 20"), "unknown key epoch", "did you mean epochs?"),
        (("w_bit: 4 ", "w_bit: 1 "), "unreadable value '1' for w_bit", "bits from 2 to 24"),
        (("fxp  ", "fixed"), "unreadable value 'fixed' for quant_type", "one of int, fxp"),
        (("exp_name: fxp", "exp_name: ../fxp"), "unreadable value", "the name of a folder"),
        (("exp_name", "name"), "unknown key name", "did you mean exp_name?"),
        (("epochs: 20", "epochs: [20]"), "the value is not plain", "a number"),
        (("epochs: 20", "epochs: 20\nepochs: 21"), "epochs is there twice", "remove one"),
        (("epochs: 20", "epochs: 20\n  : - {"), "not a YAML file", "epochs: 20"),
        (("epochs: 20", "data: Sequence"), "data: Sequence without data_path", "the .npz file"),
        (("epochs: 20", "normalization: none"), "all files of FI-2010 are normalised", "zscore or decimal"),
    ],
)
def test_mistakes_are_told_with_place_and_remedy(tmp_path: Path, change, what: str, remedy: str) -> None:
    with pytest.raises(N2d2Error) as caught:
        experiment.load(written(tmp_path, DOCUMENTED.replace(*change)))
    assert what in str(caught.value)
    assert remedy in str(caught.value)
    assert re.search(r"case\.yaml(:\d+)?", str(caught.value.place))


def test_a_required_key(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="missing key exp_name"):
        experiment.load(written(tmp_path, "epochs: 3\n"))


@pytest.mark.parametrize(
    "text", ["[" * 30000, "a: &a [x]\nb: *a", "- 1", "x", "", "\x00", "a" * 70000, "!!python/x y: 1"]
)
def test_hostile_files(tmp_path: Path, text: str) -> None:
    with pytest.raises((IniError, ParameterError)):
        experiment.load(written(tmp_path, text))


def test_what_stands_on_the_line_counts(tmp_path: Path) -> None:
    path = written(tmp_path, DOCUMENTED)
    file, given = experiment.line_of(path, {})
    assert file == path.with_suffix(".ini")
    assert (given["learn-epoch"], given["valid-metric"], given["class-report"]) == (20, "Likelihood", True)
    assert experiment.line_of(path, {"learn-epoch": 2})[1]["learn-epoch"] == 2
    assert "learn-epoch" not in experiment.line_of(path, {"test": True})[1]


@pytest.mark.parametrize("normalization", ["zscore", "decimal"])
def test_a_whole_run(folder: Folder, normalization: str) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(150, 6, 3)).astype(np.float32)
    y = (x[:, -1, 0] > 0).astype(int)
    x[:, :, 1] = 500 + 20 * x[:, :, 1]
    np.savez(folder / "data.npz", x_train=x[:100], y_train=y[:100], x_test=x[100:], y_test=y[100:])
    folder.write(SMALL.format(normalization=normalization), "net.yaml")
    assert folder.run("", network="net.yaml") == 0, folder.said
    epochs = re.findall(
        r"^Epoch (\d)/3, Train Loss: \d+\.\d{4},           Validation Loss: (\d+\.\d{4}), "
        r"Duration: \d:\d\d:\d\d(?:\.\d+)?, Best Val Epoch: (\d)$",
        folder.said,
        re.MULTILINE,
    )
    losses = [float(loss) for _, loss, _ in epochs]
    assert [int(epoch) for epoch, _, _ in epochs] == [1, 2, 3]
    assert int(epochs[-1][2]) == 1 + losses.index(min(losses))
    report = folder.said[folder.said.index("accuracy_score: ") :]
    assert re.search(r"^ +precision +recall +f1-score +support$", report, re.MULTILINE)
    assert re.search(r"^weighted avg +(0|1)\.\d{4} +(0|1)\.\d{4} +(0|1)\.\d{4} +50$", report, re.MULTILINE)
    assert re.search(r"rnn +sigmoid_0 +8 +0.00390625 +UQ0.8", folder.said)
    assert folder.weights("small") == folder.weights("weights_validation")
    history = np.load(folder / "small.npy")
    assert np.allclose(history["validation_loss"], losses, atol=1e-4)
    assert (folder / "small.png").exists()
    # The INI file that was made is the same run.
    before = folder.weights("small")
    options_ = "-learn-epoch 3 -valid-metric Likelihood"
    assert folder.run(options_) == 0, folder.said
    assert folder.weights("weights_validation") == before
    assert folder.run("-test", network="net.yaml") == 0, folder.said
    assert "accuracy_score" in folder.said
