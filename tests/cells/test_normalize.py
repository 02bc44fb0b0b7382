"""Normalize: its norm."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from tests.cells.reading import cell, dims


def test_normalize() -> None:
    assert cell("Normalize", "NbOutputs=4|Norm=L2").outputs([dims(4)]) == dims(4)
    with pytest.raises(ParameterError, match="Norm=L1 is not supported") as error:
        cell("Normalize", "NbOutputs=4|Norm=L1")
    assert "expected: Norm=L2" in str(error.value)
