"""``-export`` and ``-verify`` in whole runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import runs
from runs import Folder

from n2d2py.export.executors import Interpreter


@pytest.fixture
def run(learned: Callable[[str], Folder], tmp_path: Path) -> Folder:
    return learned(runs.quantized()).copy(tmp_path / "run")


def test_c(run: Folder) -> None:
    assert run.run("-export C -db-export 12") == 0, run.said
    assert "[LOG] Export C: export_C_int4/, with 12 stimuli" in run.said
    files = run.files("export_C_int4")
    assert {"network.c", "network.h", "main.c", "Makefile", "stimuli.bin", "expected.bin", "sizes.csv"} <= files
    assert (run / "export_C_int4" / "stimuli.bin").stat().st_size == 12 * 64
    assert json.loads((run / "export_C_int4" / "export.json").read_text())["exact"] is True


def test_onnx_with_more_bits_in_its_name_and_verified(run: Folder) -> None:
    assert run.run("-export onnx -nbbits 8 -verify") == 0, run.said
    assert run.files("export_ONNX_int8") == {"network.onnx", "stimuli.npz", "expected.npz", "export.json"}
    assert "0 codes differ (45 stimuli)" in run.said


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_every_executor(run: Folder) -> None:
    assert run.run("-verify") == 0, run.said
    header = next(line for line in run.said.splitlines() if line.startswith("cell "))
    assert header.split() == ["cell", "codes", "interpreter", "torch", "ONNX", "Runtime", "C"]


def test_a_difference_is_an_error(run: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Interpreter.run
    monkeypatch.setattr(Interpreter, "run", lambda self, codes: {k: v + 1 for k, v in right(self, codes).items()})
    assert run.run("-verify -export ONNX") == 1
    assert "interpreter is not the trained network: conv1 differs first" in run.said


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("-export CPP", 2, "one of C, ONNX, QONNX"),
        ("-export C -nbbits 2", 2, "the network has learned weights of 4 bits"),
    ],
)
def test_mistakes(run: Folder, line: str, status: int, message: str) -> None:
    assert run.run(line) == status
    assert message in run.said
