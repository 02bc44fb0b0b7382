"""The comparison of all executors counts what differs, and where first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.executors import CProgram, Interpreter

from .made import made_lenet


def test_all_equal() -> None:
    learned, export, batch = made_lenet()
    report = verification.compare(learned, export, [batch, batch], ["interpreter", "torch", "ONNX Runtime"])
    assert report.all_equal
    assert report.stimuli == report.labels == 8
    assert report.lines()[0].split() == ["cell", "codes", "interpreter", "torch", "ONNX", "Runtime"]
    row = next(row for row in report.rows if row.cell == "conv2")
    assert "ONNX Runtime" not in row.differing  # its accumulators are never stored
    assert row.differing["interpreter"] == 0


def test_the_first_difference_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    learned, export, batch = made_lenet()
    right = Interpreter.run

    def wrong(self: Interpreter, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        codes = right(self, stimuli)
        codes["bn2"][0, 3, 1, 1] += 1
        codes["fc2"][:] = np.roll(codes["fc2"], 1, axis=1)
        return codes

    monkeypatch.setattr(Interpreter, "run", wrong)
    report = verification.compare(learned, export, [batch], ["interpreter"])
    assert report.first_differing == ("interpreter", "bn2")
    assert {row.cell: row.differing["interpreter"] for row in report.rows}["bn2"] == 1
    assert report.differing_labels == {"interpreter": 4}


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    learned, export, batch = made_lenet()
    monkeypatch.setattr(CProgram, "missing", staticmethod(lambda: "there is no compiler"))
    report = verification.compare(learned, export, [batch], ["interpreter", "C"])
    assert report.lines()[-1] == "C is left out: there is no compiler"
    with pytest.raises(IntegerError, match="C cannot run here: there is no compiler"):
        verification.compare(learned, export, [batch], ["C"], required=True)


def test_an_output_that_waits_for_a_real_bias_has_no_labels() -> None:
    _, export, _ = made_lenet()
    edge = replace(export.network.edges["fc2"], offset=np.zeros(10))
    network = replace(export.network, edges=export.network.edges | {"fc2": edge})
    with pytest.raises(IntegerError, match="waits for a real bias") as caught:
        _ = replace(export, network=network).decisions
    assert "NoBias=1" in str(caught.value)
