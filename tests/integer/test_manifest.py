"""The folder alone, read by plain numpy and json, gives the codes of the interpreter."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from n2d2py.errors import WeightsError
from n2d2py.integer import manifest, table
from n2d2py.integer.interpreter import run
from n2d2py.integer.lower import lower

from . import blocks
from .learned import IMAGES, Images, network
from .networks import lenet_like, stimuli
from .reader import infer


@pytest.mark.parametrize("seed", range(3))
def test_another_implementation_gets_the_same_codes(tmp_path: Path, seed: int) -> None:
    network = lenet_like(seed)
    manifest.write(network, tmp_path / "weights_quantized")
    codes = stimuli(network, 20)
    expected = run(network, codes)
    results = infer(tmp_path / "weights_quantized", codes)
    assert set(results) == set(expected) - {"softmax"}
    for name, values in results.items():
        assert np.array_equal(values, expected[name])


@pytest.mark.parametrize("name", ["resnet_v1", "mobilenet_v2", "inception", "autoencoder", "oddities", "levels"])
def test_another_implementation_gets_the_codes_of_every_block(tmp_path: Path, name: str) -> None:
    text = getattr(blocks, name)()
    if name == "oddities":  # a reader of integers has nothing behind real numbers
        text = text.replace("Input=again,shaped", "Input=shaped")
        text = re.sub(r"\[(island|again)\]\n[^\[]*", "", text)
    learned = network(text, 4)
    integer = lower(learned, IMAGES)
    manifest.write(integer, tmp_path / "out")
    images = Images(learned, 2, 4)
    assert images.codes is not None
    codes = images.codes.values.numpy().astype(np.int64)
    expected = run(integer, codes)
    results = infer(tmp_path / "out", codes)
    assert set(results) == set(expected) - set(integer.islands)
    for operation, values in results.items():
        assert np.array_equal(values, expected[operation]), f"{operation}\n{integer.text()}"


def test_the_reader_imports_nothing_of_the_package() -> None:
    for name in ("reader.py", "further_reading.py"):
        text = (Path(__file__).parent / name).read_text()
        assert "n2d2py import" not in text
        assert "import n2d2py" not in text


def test_files_and_their_layout(tmp_path: Path) -> None:
    network, folder = lenet_like(), tmp_path / "deep" / "weights_quantized"
    ini = b"[sp]\n"
    written = manifest.write(network, folder, ini)
    names = [
        "conv1_biases.syntxt",
        "conv1_weights.syntxt",
        "conv2_biases.syntxt",
        "conv2_weights.syntxt",
        "fc_biases.syntxt",
        "fc_weights.syntxt",
        "manifest.json",
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in written) == names
    lines = (folder / "conv1_weights.syntxt").read_text().split("\n")
    assert len(lines) == 6 + 1
    assert lines[0] == " ".join(str(int(value)) for value in network["conv1"].weights[0].ravel()) + " "
    assert (folder / "conv1_biases.syntxt").read_text().split() == [str(b) for b in network["bn1"].rescaling.biases]
    record = json.loads((folder / "manifest.json").read_text())
    assert record["ini_sha256"] == hashlib.sha256(ini).hexdigest()
    assert record["exact"] is True
    assert record["operations"][0]["weights"]["bits"] == 4
    assert record["operations"][0]["output"]["signed_bits"] == table.rows(network)[0].accumulator_bits


def test_a_second_writing_replaces_the_first_and_leaves_other_files(tmp_path: Path) -> None:
    manifest.write(lenet_like(0), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    manifest.write(lenet_like(1), tmp_path)
    record = json.loads((tmp_path / "manifest.json").read_text())
    assert record["operations"][1]["multipliers"] == lenet_like(1)["bn1"].rescaling.multipliers.tolist()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}.*"))


def test_a_cell_with_a_slash_in_its_name_has_a_folder(tmp_path: Path) -> None:
    network = lenet_like()
    operations = tuple(replace(op, cell="stage/1:conv") if op.name == "conv1" else op for op in network)
    manifest.write(replace(network, operations=operations), tmp_path / "out")
    codes = stimuli(network, 2)
    results = infer(tmp_path / "out", codes)
    assert (tmp_path / "out" / "stage" / "1_conv_weights.syntxt").is_file()
    assert np.array_equal(results["fc"], run(network, codes)["fc"])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"cannot write .*file") as error:
        manifest.write(lenet_like(), tmp_path / "file")
    assert "rights" in str(error.value)
