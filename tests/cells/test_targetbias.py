"""TargetBias: its key."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from tests.cells.reading import cell


def test_target_bias() -> None:
    assert cell("TargetBias", "NbOutputs=4|Bias=-0.3").bias == -0.3
    with pytest.raises(ParameterError, match="missing key Bias"):
        cell("TargetBias", "NbOutputs=4")
