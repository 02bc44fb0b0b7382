"""``-compile``: a run that learns by compiled passes, goes on, is proved exact; and one that finds no compiler."""

import os
import shutil
import subprocess
import sys

import pytest
import runs
import torch

from n2d2py.learn import compiling

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no compiler")


pytestmark = pytest.mark.usefixtures("without_pictures")


@compiler
def test_a_compiled_run_goes_on_and_becomes_integers_without_a_differing_code(folder, tmp_path):
    run = folder.write(runs.quantized())
    assert run.run("-learn-epoch 1 -compile -workers 0") == 0, run.said
    assert "Notice: -compile" not in run.said
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert graphs > 0
    assert run.run("-resume -learn-epoch 2 -workers 0") == 0, run.said
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs
    assert not torch._dynamo.utils.counters["graph_break"]
    straight = runs.Folder(tmp_path / "straight", folder.data).write(runs.quantized())
    assert straight.run("-learn-epoch 2 -compile -workers 0") == 0
    assert run.weights() == straight.weights()
    assert run.run("-test -qat-sat -workers 0") == 0, run.said
    assert "0 of " in run.said
    assert "codes differ, 0 of 45 labels differ" in run.said


@compiler
def test_a_run_that_goes_on_is_compiled_as_it_began(folder):
    run = folder.write(runs.network())
    assert run.run("-learn-epoch 1 -workers 0") == 0
    assert run.run("-resume -learn-epoch 2 -compile -workers 0") != 0
    assert "had no -compile, now it is True" in run.said


def test_without_a_compiler_one_line_says_so(folder):
    folder.write(runs.network())
    command = [sys.executable, "-m", "n2d2py", "net.ini", "-seed", "1", "-learn", "20", "-compile", "-workers", "0"]
    hidden = {"PATH": str(folder.path), "CXX": "none", "N2D2_DATA": str(folder.data), "OMP_NUM_THREADS": "1"}
    place = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "HOME": str(folder.path)}
    done = subprocess.run(command, cwd=folder.path, env=hidden | place, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("-compile:") == 2  # the option that is echoed, and the notice
    assert "Notice: -compile: torch.compile cannot compile (" in said
    assert "; learning goes on without" in said
    assert (folder / "weights").is_dir()


def test_what_is_missing_is_told_in_the_first_words_of_the_error(monkeypatch):
    def failing(function, **keys):
        raise RuntimeError("\n  no compiler here\nand much more")

    monkeypatch.setattr(torch, "compile", failing)
    assert compiling._missing(torch.device("cpu")) == "torch.compile cannot compile (no compiler here)"
