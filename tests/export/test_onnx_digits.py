"""Sums that float32 does not hold at once are made of digits, in ONNX Runtime as in the interpreter."""

from __future__ import annotations

import numpy as np
import pytest
from integer import blocks

from n2d2py.export import verification

from .made import made


@pytest.mark.parametrize("name", ["inception", "mobilenet_v2"])
@pytest.mark.parametrize("levels", [1, 255])
def test_wide_codes_are_pooled(name: str, levels: int) -> None:
    learned, export, batch = made(getattr(blocks, name)(levels, levels))
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"], required=True)
    assert report.all_equal, "\n".join(report.lines())


def test_large_sums_of_weights() -> None:
    text = blocks.Text(size=8, weights=255)
    text.conv("c0", "sp", 16)
    text.cell("b0", "BatchNorm", "c0", 16)
    learned, export, batch = made(text.end("b0"))
    fc = next(operation for operation in export.operations if operation.cell == "fc")
    assert int(np.abs(fc.weights).sum(axis=1).max()) > 1 << 16
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"], required=True)
    assert report.all_equal, "\n".join(report.lines())
