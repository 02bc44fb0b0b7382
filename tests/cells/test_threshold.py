"""Threshold: its keys."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from tests.cells.reading import cell, dims


def test_threshold() -> None:
    threshold = cell("Threshold", "NbOutputs=4|Threshold=0.5")
    assert (threshold.threshold, threshold.operation, threshold.max_value) == (0.5, "Binary", 1.0)
    config = cell("Threshold", "NbOutputs=4|Threshold=0.5", "Operation=ToZero|MaxValue=2")
    assert config.label([dims(4)], dims(4)) == ["4x8x8", "ToZero at 0.5"]
    with pytest.raises(ParameterError, match="missing key Threshold"):
        cell("Threshold", "NbOutputs=4")
