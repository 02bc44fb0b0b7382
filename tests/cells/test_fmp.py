"""FMP: its size."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims


def test_defaults_and_size() -> None:
    fmp = cell("FMP", "NbOutputs=4|ScalingRatio=1.6")
    assert (fmp.scaling_ratio, fmp.overlapping, fmp.pseudo_random) == (1.6, True, True)
    assert fmp.outputs([dims(4, 8, 4)]) == Dims(3, 5, 4)  # 2.5 is rounded up
    assert fmp.label([dims(4)], Dims(5, 5, 4)) == ["4x5x5", "Max, 1/1.6"]
    config = cell("FMP", "NbOutputs=4|ScalingRatio=2", "Overlapping=0|PseudoRandom=0")
    assert (config.overlapping, config.pseudo_random) == (False, False)


def test_what_cannot_be() -> None:
    with pytest.raises(ParameterError, match="a real number in"):
        cell("FMP", "NbOutputs=4|ScalingRatio=1")
    with pytest.raises(GraphError, match="FMP cell c leaves nothing of 2 values along X") as error:
        cell("FMP", "NbOutputs=4|ScalingRatio=5").outputs([dims(4, 8, 2)])
    assert "a ScalingRatio of at most 4" in str(error.value)
    with pytest.raises(GraphError, match="an input without depth"):
        cell("FMP", "NbOutputs=4|ScalingRatio=2").outputs([Dims(4, 4, 4, depth=2)])
