"""What users get wrong, and what breaks around them: each with a place, a remedy and an exit status, no traceback."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import runs
from runs import Folder

FLOATS = runs.network()


def fails(folder: Folder, line: str, *texts: str, status: int = 1) -> None:
    """A run ends with this status and an error that says these texts, without a traceback."""
    assert folder.run(line) == status, folder.said
    assert "Error: " in folder.said
    assert "Traceback" not in folder.said
    error = folder.said[folder.said.index("Error: ") :]
    for text in texts:
        assert text in error


# The INI file


def at(text: str, wanted: str) -> int:
    """The number of the line that is ``wanted``."""
    return text.splitlines().index(wanted) + 1


@pytest.mark.parametrize(
    ("right", "wrong", "texts"),
    [
        (
            "Pooling=Max",
            "Pooling=Maximum",
            ("unreadable value 'Maximum'", "net.ini:{line}, [pool1], Pooling", "Max"),
        ),
        ("Type=Fc", "Type=Fcc", ("unknown cell type 'Fcc'", "net.ini:{line}, [fc1], Type", "did you mean Fc?")),
        ("Input=bn1", "Input=bnx", ("bnx", "net.ini:{line}, [pool1], Input", "did you mean bn1?")),
        ("KernelSize=3", "KernelSize=9", ("a window of 9 does not fit on an input of 8", "[conv1]", "at least 9")),
        ("Type=MNIST_IDX_Database", "Type=MNIST", ("MNIST", "net.ini:{line}, [database], Type", "MNIST_IDX_Database")),
        ("NoBias=1", "NoBiass=1", ("NoBiass", "net.ini:{line}, [common.config]", "NoBias")),
        ("SizeX=8", "SizeX=9", ("9x8x1", "8x8x1", "SizeX=8")),
    ],
)
def test_mistakes_in_the_ini_file(right, wrong, texts, folder):
    text = FLOATS.replace(right, wrong, 1)
    folder.write(text)
    fails(folder, "-learn-epoch 1", *(part.format(line=at(text, wrong)) for part in texts))


def test_a_target_of_no_cell(folder):
    text = FLOATS.replace("[softmax.Target]", "[softmaxx.Target]")
    folder.write(text)
    fails(folder, "-learn-epoch 1", "the network has no target to learn", "add a section such as [softmax.Target]")
    warning = "target section [softmaxx.Target] belongs to no cell (did you mean softmax?)"
    place = f"net.ini:{at(text, '[softmaxx.Target]')}, [softmaxx.Target]"
    assert f"Warning: {warning}, at: {place}" in folder.said
    fails(folder, "-learn-epoch 1 -strict", warning.split(" (")[0], place, "did you mean softmax?")


def test_an_unknown_key_of_a_cell_is_a_warning_and_with_strict_an_error(folder):
    text = FLOATS.replace("NbOutputs=3", "NbOutputs=3\nNbOutput=4", 1)
    place = f"net.ini:{at(text, 'NbOutput=4')}, [fc1], NbOutput"
    assert folder.write(text).run("-test -w /dev/null") == 0
    warning = next(line for line in folder.said.splitlines() if line.startswith("Warning: "))
    assert "NbOutput" in warning
    assert place in folder.said
    fails(folder, "-test -w /dev/null -strict", "NbOutput", place, "NbOutputs")


def test_a_missing_ini_file(folder):
    fails(folder, "-test", "Could not open INI file: net.ini")


def test_unknown_options(folder):
    folder.write(FLOATS)
    fails(folder, "-learn-epochs 1", "Unknown option(s): -learn-epochs", "did you mean -learn-epoch?", status=2)


# The data


def damage(folder: Folder, tmp_path: Path, name: str, content: bytes | None) -> Path:
    """A copy of the data with one file replaced, or taken away; gives the path of that file."""
    folder.data = runs.write_data(tmp_path / "damaged")
    file = folder.data / "mnist" / name
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    return file


PIXELS = runs.idx(runs.images(240, 1)[0])


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (None, ("files are missing in", "train-images-idx3-ubyte", "n2d2py -fetch mnist")),
        (PIXELS[:-100], ("truncated",)),
        (gzip.compress(PIXELS, mtime=0)[:-100], ("truncated", "get it again")),
        (PIXELS[:3] + b"\x01" + PIXELS[4:], ("images (IDX, 3 dimensions)",)),
        (b"<!DOCTYPE html><html>Not found</html>", ("HTML",)),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", ("Git LFS",)),
        (runs.idx(runs.images(239, 1)[0]), ("239 images and 240 labels",)),
        (b"", ("empty",)),
    ],
    ids=["missing", "truncated", "truncated gzip", "labels for images", "HTML", "LFS pointer", "count", "empty"],
)
def test_damaged_data(content, texts, folder, tmp_path):
    file = damage(folder, tmp_path, "train-images-idx3-ubyte", content)
    folder.write(FLOATS)
    fails(folder, "-learn-epoch 1", str(file.parent if content is None else file), *texts)


def test_a_data_folder_that_does_not_exist(folder, tmp_path):
    folder.data = tmp_path / "nowhere"
    folder.write(FLOATS)
    place = str(tmp_path / "nowhere" / "mnist")
    fails(folder, "-learn-epoch 1", place, "train-images-idx3-ubyte", "N2D2_DATA", "-fetch mnist")


# Weights


def test_weights_of_another_network(learned, folder):
    other = learned(FLOATS) / "weights"
    folder.write(FLOATS.replace("NbOutputs=4", "NbOutputs=5"))
    file = other / "conv1_weights.syntxt"
    fails(folder, f"-test -w {other}", "holds 36 values, weights of cell conv1 are 45", str(file), "Check -w")
    renamed = FLOATS.replace("conv1", "c").replace("bn1", "b").replace("fc1", "f")
    folder.write(renamed)
    what = f"the folder {other} holds no file of weights of this network"
    fails(folder, f"-learn-epoch 1 -w {other}", what, "c_weights.syntxt", "weights of another network?")


def test_weights_that_are_no_numbers(learned, tmp_path):
    run = learned(FLOATS).copy(tmp_path / "run")
    (run / "weights/fc1_weights.syntxt").write_text("0.5 many\n")
    fails(run, "-test", "many", "weights/fc1_weights.syntxt:1")


# Learning that breaks down


def test_learning_that_breaks_down_names_the_cell_and_keeps_the_last_good_weights(folder):
    steps = "Solvers.LearningRatePolicy=StepDecay\nSolvers.LearningRateStepSize=480\nSolvers.LearningRateDecay=1e30"
    text = FLOATS.replace("NoBias=1\nSolvers.LearningRate=0.05", f"NoBias=1\nSolvers.LearningRate=0.05\n{steps}")
    folder.write(text)
    fails(folder, "-learn-epoch 9", "learning broke down at batch", "of cell", "a lower LearningRate (it was 5e+28")
    assert folder.said.count("#epoch") == 2
    assert "the last good weights are in weights" in folder.said
    for name in folder.weights():
        assert np.isfinite(np.loadtxt(folder / "weights" / name)).all()
    assert folder.run("-test") == 0


def test_learning_that_breaks_down_at_once_keeps_those_of_an_earlier_run(learned, tmp_path):
    run = learned(FLOATS).copy(tmp_path / "run")
    kept = run.weights()
    run.write(runs.network(rate=1e30))
    fails(run, "-learn-epoch 1 -w weights", "learning broke down", "of cell", "those of the start are in weights_init")
    assert run.weights() == kept == run.weights("weights_init")


# What the operating system does


FILES = ("n2d2py.args", "seed.dat", "net.ini.dot")
FOLDERS = ("weights", "weights_init", "softmax.Target", "stats")


@pytest.mark.parametrize("name", FILES + FOLDERS)
def test_what_cannot_be_written(name, folder):
    """A folder where a file should be, and a file where a folder should be."""
    if name in FILES:
        (folder / name).mkdir()
    else:
        (folder / name).write_text("not a folder")
    folder.write(FLOATS)
    fails(folder, "-learn-epoch 1", "cannot be read or written", f"at: {name}", "work in another folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_right_to_write(folder):
    folder.write(FLOATS)
    folder.path.chmod(0o500)
    try:
        fails(folder, "-learn-epoch 1", "Permission denied", "at: n2d2py.args", "check the rights")
    finally:
        folder.path.chmod(0o700)


def test_a_full_disk_names_the_file_that_was_wanted(folder, monkeypatch):
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/.net.ini.dot.x3f")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    folder.write(FLOATS)
    fails(folder, "-learn-epoch 1", "No space left on device", "at: net.ini.dot", "the free space of this place")


def start(folder: Folder, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """n2d2py in a process of its own."""
    environment = os.environ | {"N2D2_DATA": str(folder.data)}
    return subprocess.Popen(
        [sys.executable, "-m", "n2d2py", *words],
        cwd=folder.path,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_control_c_saves_the_weights(folder):
    folder.write(FLOATS)
    with start(folder, "net.ini", "-seed", "1", "-learn-epoch", "1000000", "-log-epoch", "0") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "#epoch 1 " in line:
                process.send_signal(signal.SIGINT)
                break
        printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the weights are saved in weights" in printed
    assert "Interrupted." in printed
    assert "Traceback" not in printed + errors
    assert folder.weights()["conv1_weights.syntxt"] != folder.weights("weights_init")["conv1_weights.syntxt"]
    assert folder.run("-test") == 0


def test_a_reader_that_goes_away_ends_the_run_quietly(folder):
    """As in ``n2d2py net.ini -test | head -1``."""
    with start(folder.write(FLOATS), "net.ini", "-seed", "1", "-test", "-w", "/dev/null") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Option -seed")
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_help_for_nobody_ends_quietly(folder):
    reading, writing = os.pipe()
    os.close(reading)
    with start(folder, "-h", stdout=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1
