"""The small networks that come with n2d2py: each builds, is listed, and runs by its name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from runs import Folder

from n2d2py import cli, ini, zoo
from n2d2py.errors import UsageError
from n2d2py.graph.build import build
from n2d2py.graph.lint import lint
from n2d2py.parts.binary import BinaryWeights, TernaryWeights


def built(name: str):
    document = ini.load(zoo.path_of(name), strict=True)
    document.publish("sp", "_EpochSize", 50000)
    return build(document, name)


def test_names() -> None:
    assert zoo.names() == ["BinaryNN", "CNV_1W1A", "CNV_1W2A", "CNV_2W2A", "FloatNN", "TernaryNN"]
    assert zoo.path_of("ternarynn").name == "TernaryNN.ini"
    with pytest.raises(UsageError, match="-zoo TernyNN: there is no such network") as caught:
        zoo.path_of("TernyNN")
    assert caught.value.remedy == "did you mean TernaryNN?"


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_builds(name: str) -> None:
    network = built(name)
    lint(network)
    quantizers = {type(cell.weights_quantizer) for node in network if hasattr(cell := node.cell, "weights_quantizer")}
    binary, ternary = "Binary" in name or "1W" in name, "Ternary" in name or "2W" in name
    assert quantizers == {BinaryWeights if binary else TernaryWeights if ternary else type(None)}


def test_cnv_is_the_published_one() -> None:
    network = built("CNV_1W1A")
    widths = [node.output.channels for node in network if node.cell.type_name in ("Conv", "Fc")]
    assert widths == [64, 64, 128, 128, 256, 256, 512, 512, 10]
    assert network["conv6"].output.shape == (256, 1, 1)
    assert network["bn1"].cell.epsilon == 1e-4
    assert network["conv1"].cell.weights_solver.clamping == (-1.0, 1.0)
    assert network["bn1"].cell.activation_quantizer.codes == (-1, 1)
    assert built("CNV_1W2A")["bn1"].cell.activation_quantizer.codes == (-1, 0, 1)
    assert network.targets[0].loss == "SquaredHinge"


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-zoo"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in zoo.names())
    assert cli.main(["-zoo", "TernaryNN", "net.ini"]) == 2


def records(root: Path, count: int = 40) -> Path:
    """CIFAR-10's binary files with a few images in each."""
    folder = root / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        images = random.integers(0, 256, (count, 3073), dtype=np.uint8)
        images[:, 0] %= 10
        (folder / name).write_bytes(images.tobytes())
    (folder / "batches.meta.txt").write_text("".join(f"class{number}\n" for number in range(10)))
    return root


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("TernaryNN", r"Weights of conv1: 3 of 3 levels: -\d\S+ \(\S+%\), 0 \(\S+%\), \d\S+ \(\S+%\)"),
        ("FloatNN", r"Weights of conv1: \d+ distinct values of 864, not quantized"),
    ],
)
def test_a_run_by_name(tmp_path: Path, name: str, levels: str) -> None:
    folder = Folder(tmp_path / "run", records(tmp_path / "data"))
    assert folder.run(f"-zoo {name} -learn-epoch 2 -log-levels conv1", network="") == 0, folder.said
    assert len(re.findall(levels, folder.said)) == 2
    history = np.load(folder / f"{name}.npy")
    assert history["epoch"].tolist() == [1, 2]
    for column in ("train_acc", "test_acc", "train_loss", "test_loss"):
        assert np.isfinite(history[column]).all(), column
    assert np.isnan(history["validation_acc"]).all()
    assert (folder / f"{name}.png").exists()
    assert folder.weights(name) == folder.weights("weights")


def test_levels_of_a_cell_that_is_not_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run", records(tmp_path / "data"))
    assert folder.run("-zoo FloatNN -learn-epoch 1 -log-levels conv9", network="") == 1
    assert "-log-levels conv9: there is no cell with weights of this name" in folder.said
    assert "did you mean conv" in folder.said
