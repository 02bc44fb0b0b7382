"""Whole runs on folders of image files: what they write about the data, and target data in learning."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from runs import Folder

NETWORK = """\
[database]
Type=DIR_Database
DataPath=${N2D2_DATA}/images
Learn=0.5
Validation=0.25
RandomPartitioning=0
"""
CLASSES = """
[sp]
Size=8 6 3
BatchSize=4

[sp.OnTheFlyTransformation]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly

[fc1]
Input=sp
Type=Fc
NbOutputs=2
ActivationFunction=Linear

[fc1.Target]
"""
VALUES = """\
TargetDataPath=${N2D2_DATA}/targets

[sp]
Size=8 6 3
TargetSize=2 1 1
BatchSize=4

[fc1]
Input=sp
Type=Fc
NbOutputs=2
ActivationFunction=Linear
Solvers.LearningRate=0.02

[fc1.Target]
DataAsTarget=1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A working directory beside two labels of eight images; the target data of each are two of its values."""
    random = np.random.default_rng(5)
    for label in ("cat", "dog"):
        (tmp_path / "data" / "images" / label).mkdir(parents=True)
    (tmp_path / "data" / "targets").mkdir()
    for number in range(16):
        image = random.integers(0, 256, (6, 8, 3), np.uint8)
        name = f"{number:02d}.png"
        assert cv2.imwrite(str(tmp_path / "data" / "images" / ("cat", "dog")[number % 2] / name), image)
        assert cv2.imwrite(str(tmp_path / "data" / "targets" / name), image[:1, :2, 0])
    return Folder(tmp_path / "work", tmp_path / "data")


def test_a_run_says_which_file_is_in_which_set(folder: Folder) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.data.rglob("*")}
    line = "-learn-epoch 1 -log-db-stats -pre-samples 1"
    assert folder.write(NETWORK + CLASSES).run(line) == 0, folder.said
    assert "Learning database size: 8 images" in folder.said
    found = {}
    for name in ("Learn", "Validation", "Test"):
        date, *paths = (folder / f"db_partition/{name}.log").read_text().splitlines()
        assert re.fullmatch(r"# \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", date)
        found[name] = [Path(path).relative_to(folder.data / "images").as_posix() for path in paths]
    cats, dogs = ([f"{label}/{number:02d}.png" for number in range(first, 16, 2)] for label, first in
                  (("cat", 0), ("dog", 1)))  # fmt: skip
    assert found["Learn"] == cats[:4] + dogs[:4]
    assert found["Validation"] == cats[4:6] + dogs[4:6]
    assert sorted(found["Test"]) == cats[6:] + dogs[6:]
    assert {"stimuli.Learn.png", "stimuli.Validation.png", "stimuli.Test.png"} <= folder.files()
    assert {"labels.dat", "labels.png", "sizes_Learn.dat", "sizes.png"} <= folder.files("dbstats")
    assert len(folder.files("pre_samples_1")) == 100
    assert {path: path.stat().st_mtime_ns for path in folder.data.rglob("*")} == before


def test_target_data_are_learned(folder: Folder) -> None:
    assert folder.write(NETWORK + VALUES).run("-learn-epoch 60 -log-epoch 60 -test") == 0, folder.said
    errors = _success(folder / "fc1.Target" / "Success_learning.dat")
    assert np.mean(errors[-4:]) < 0.5 * np.mean(errors[:4])


def _success(file: Path) -> list[float]:
    rows = [line.split() for line in file.read_text().splitlines() if not line.startswith("#")]
    return [float(row[1]) for row in rows if row[1][0].isdigit()]


def test_target_data_of_another_size_end_the_run_at_once(folder: Folder) -> None:
    assert folder.write(NETWORK + VALUES.replace("TargetSize=2 1 1", "TargetSize=1 2 1")).run("-learn-epoch 1") == 1
    assert "target data of stimulus" in folder.said
    assert "is 1x2x1, but they are 2x1x1" in folder.said
    assert not (folder / "weights").exists()
