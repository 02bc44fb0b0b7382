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
