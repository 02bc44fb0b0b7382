"""Scaling: its factors."""

from __future__ import annotations

import pytest

from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims


def test_scaling() -> None:
    assert cell("Scaling", "NbOutputs=4|Factor=0.5").factor == (0.5,)
    each = cell("Scaling", "NbOutputs=4|Factor=1 2 3 4")
    assert each.outputs([dims(4)]) == dims(4)
    with pytest.raises(GraphError, match="Scaling cell c has 2 factors") as error:
        cell("Scaling", "NbOutputs=4|Factor=1 2").outputs([dims(4)])
    assert "one, or 4: one for each channel" in str(error.value)
    with pytest.raises(ParameterError, match="missing key Factor"):
        cell("Scaling", "NbOutputs=4")
