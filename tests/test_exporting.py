"""``-export`` and ``-verify`` in whole runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import runs
from runs import Folder

from n2d2py.export.c import packing
from n2d2py.export.c.operations import weighted
from n2d2py.export.c.packing import Packed
from n2d2py.export.executors import CProgram, Interpreter, OnnxRuntime
from n2d2py.integer.operations import Weighted


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


@pytest.mark.skipif(CProgram.missing() is not None, reason="needs a C compiler with make")
@pytest.mark.parametrize(("broken", "named"), [("fc1", "fc1"), ("conv1", "bn1")])
def test_a_broken_c_export_is_found_out(run: Folder, monkeypatch: pytest.MonkeyPatch, broken: str, named: str) -> None:
    """One bit of the weights of a cell is wrong; what a rescaling hides is seen in the cell that is stored next."""

    def pack(operation: Weighted) -> Packed:
        packed = packing.pack(operation)
        if operation.cell == broken:
            packed.data[0] ^= 8
        return packed

    monkeypatch.setattr(weighted, "pack", pack)
    assert run.run("-verify -export C") == 1
    assert f"C is not the trained network: {named} differs first" in run.said
    assert "0 differing codes and labels" in run.said


def test_a_broken_onnx_export_is_found_out(run: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code of the stimuli is one too large on its way into the model."""
    right = OnnxRuntime.run
    monkeypatch.setattr(OnnxRuntime, "run", lambda self, codes: right(self, np.maximum(codes, 1)))
    assert run.run("-verify") == 1
    assert "ONNX Runtime is not the trained network: " in run.said


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("-export CPP", 2, "expected: one of C, ONNX"),
        ("-export C -nbbits 2", 2, "the network has learned weights of 4 bits"),
    ],
)
def test_mistakes(run: Folder, line: str, status: int, message: str) -> None:
    assert run.run(line) == status
    assert message in run.said
