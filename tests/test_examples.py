"""The examples run, shortened; what each promises holds."""

from __future__ import annotations

import os
import re
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import n2d2py

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(name: str, *words: str, cwd: Path) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_lenet_ends_in_integers_that_are_equal(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    said = run("lenet.py", "--digits", "--epochs", "1", cwd=tmp_path)
    last = said.splitlines()[-1]
    found = re.fullmatch(r"4 bits: ([\d.]+)%, integers: ([\d.]+)%, exact: True", last)
    assert found is not None, last
    assert found[1] == found[2]
    assert "every one proved exact" in said
    assert list(tmp_path.iterdir()) == []


def test_the_resnet18_tutorial_learns_both_stages(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--epochs", "1", "--width", "2", "--images", "6", "--batch", "8")
    said = run("resnet18_onnx.py", *words, "--folder", str(out), cwd=tmp_path)
    assert "recognition rate at 4 bits" in said
    text = (out / "network.txt").read_text()
    assert text.count("QAct=SAT: Range=15") == 17
    assert text.count("QWeight=SAT: Range=15") == 19
    picture = (out / "network.dot").read_text()
    assert picture.count("QAct: SAT on range [15 q-step]") == 17
    assert picture.count("QWeights: SAT on range [15 q-step]") == 19
    assert picture.count("QWeights: SAT on range [255 q-step]") == 2
    assert (out / "network.png").stat().st_size > 10000
    alphas = list((out / "weights").glob("*_QAct_SAT_Alpha.syntxt"))
    assert len(alphas) == 17
    learned = "resnetv15_stage1_conv0_fwd_weights.syntxt"
    assert (out / "weights" / learned).read_bytes() != (out / "weights_clamped" / learned).read_bytes()


def test_the_ini_files_of_the_tutorial_are_those_that_are_printed() -> None:
    document = EXAMPLES.parents[1] / "shared" / "seeds" / "004_4d2ca8d06a5b1ad0.txt"
    if not document.exists():
        pytest.skip("the document of the tutorial is not here")
    wanted = document.read_text()
    for stage in ("clamp", "4bit"):
        for line in (EXAMPLES / "resnet18" / f"resnet18-v1_{stage}.ini").read_text().splitlines():
            assert line in wanted or line.startswith((";", "QWeight.ApplyQuantization")), line


def test_the_tree_of_images_has_sizes_and_gray_ones(tmp_path: Path) -> None:
    import cv2

    make = runpy.run_path(str(EXAMPLES / "make_imagenet_tree.py"))["make_tree"]
    assert make(tmp_path, classes=2, learn=8, test=2) == tmp_path
    root = tmp_path / "ILSVRC2012"
    assert len((root / "synsets.txt").read_text().split()) == 2
    assert len((root / "val.txt").read_text().split()) == 8
    images = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted(root.glob("*/*/*.JPEG"))]
    assert len({image.shape[:2] for image in images}) > 8
    assert {image.ndim for image in images} == {2, 3}


def test_cifar10_from_torch_to_integers(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    random = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        rows = [struct.pack("B", label) + random.bytes(3072) for label in random.permutation(10).tolist()]
        (data / f"{name}.bin").write_bytes(b"".join(rows) * 3)
    (data / "batches.meta.txt").write_text("".join(f"class{number}\n" for number in range(10)))
    words = ("--width", "2", "--float-epochs", "1", "--epochs", "1", "--integers", "10", "--threads", "1")
    run("cifar10_onnx.py", str(data), "out", *words, cwd=tmp_path)
    results = (tmp_path / "out" / "results.txt").read_text()
    assert "0 of 30 answers differ from torch's" in results
    assert "integers: 0 codes and 0 labels differ from those of the 4-bit network" in results


def test_float_calibrated_and_learned_side_by_side(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    models = EXAMPLES.parent / "models"
    text = (models / "Digits_clamp.ini").read_text()
    (tmp_path / "net.ini").write_text(re.sub(r"QWeight.*\n|QAct.*\n", "", text))
    net = n2d2py.load(tmp_path / "net.ini", device="cpu")
    net.learn(1)
    net.save(tmp_path / "weights")
    said = run("side_by_side.py", "net.ini", "weights", "--bits", "8", "--stimuli", "50", cwd=tmp_path)
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line[:1] == "|"]
    assert head == ["network", "rate of the integers", "points from float", "differing codes"]
    assert [row[0] for row in rows] == [
        "float",
        "PTQ, 8 bits, one step a cell",
        "PTQ, 8 bits, one step an output",
        "QAT, 8 bits, 1 epoch of LSQ",
    ]
    assert rows[0][1] == f"{net.test().rate:.2%}"
    for _, rate, points, differing in rows[1:]:
        # Rates are rounded to a hundredth of a point.
        assert abs(float(rate[:-1]) - float(rows[0][1][:-1]) - float(points)) < 0.02
        assert re.fullmatch(r"0 of [1-9]\d*", differing)
    assert abs(float(rows[1][2])) < 3


def test_the_table_of_level_constrained_runs(tmp_path: Path) -> None:
    for row, rates in (("float", (0.5, 0.9012)), ("w", (0.7, 0.8978)), ("wa_ends", (0.7, 0.8812))):
        folder = tmp_path / row
        folder.mkdir()
        (folder / "n2d2py.args").write_text(
            f"n2d2py ResNet-20_LSQ_{row}.ini -seed 1 -learn-epoch 2 -log-test\nn2d2py ResNet-20_LSQ_{row}.ini -test\n"
        )
        (folder / f"ResNet-20_LSQ_{row}.ini").write_text("[a@b.tpl]\nLEARNING_RATE=0.02\n")
        lines = [f"{epoch},{0.01 / (epoch + 1)},{rate}" for epoch, rate in enumerate(rates)]
        (folder / "results.csv").write_text("\n".join(["epoch,learning_rate,softmax.Target:test", *lines]) + "\n")
    said = run("lsq_table.py", "wa_ends", "float", "w", cwd=tmp_path)
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines()]
    assert head == ["row", "quan_lr", "constr_w", "constr_a", "lr_base", "epoch", "test_acc", "drop_acc"]
    assert [row[0] for row in rows] == ["float", "w", "wa_ends"]
    assert [row[-4:-2] for row in rows] == [["0.02", "2"]] * 3
    assert [row[-2:] for row in rows] == [["90.12", "-"], ["89.78", "0.34"], ["88.12", "2.00"]]
    (tmp_path / "w" / "results.csv").write_text("epoch,learning_rate,softmax.Target:test\n0,0.01,\n")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "lsq_table.py"), "w"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "learn with -log-test" in done.stderr
