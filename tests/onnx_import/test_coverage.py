"""A part of the page of what imports, computed anew; the page names everything and nothing differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py import console
from tests.onnx_import import coverage

PAGE = Path(__file__).parents[2] / "docs" / "onnx-coverage.md"


def test_the_page_names_every_operator_and_every_network() -> None:
    text = PAGE.read_text(encoding="utf-8")
    heads = {line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")}
    assert heads == coverage.operators()
    assert all(file.stem in text for file in coverage.LIGHT.glob("light_*.onnx"))
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 400
    assert all(line.split("|")[2].strip() in ("passes", "refused", "not compared") for line in rows)
    assert all(line.split("|")[3].strip() for line in rows), "a number or a reason"


def test_rows_are_what_the_page_says(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    text = PAGE.read_text(encoding="utf-8")
    some = {"Conv", "Gemm", "AveragePool", "BatchNormalization", "Concat", "Add", "Relu"}
    with console.without_lines():
        found = coverage.operator_rows(tmp_path, some)
        rows = [row for one in found.values() for row in one]
        rows += list(coverage.torch_rows(tmp_path, (False, True), ("perceptron", "branches, gate, swish, maximum")))
    assert set(found) == some
    assert len(rows) > 50
    for row in rows:
        assert row.result in ("passes", "refused"), row
        assert f"| `{row.name}` | {row.result} |" in text
