"""Unpool: its size, and what it needs of a Pool."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

KEYS = "NbOutputs=4|PoolSize=3|Stride=2|ArgMax=pool1"


def test_size_is_that_before_the_pool() -> None:
    unpool = cell("Unpool", f"{KEYS}|Padding=1|Mapping.Size=1")
    assert unpool.outputs([dims(4, 4)]) == Dims(7, 7, 4)
    assert unpool.refers_to == ("pool1",)
    assert unpool.label([dims(4, 4)], Dims(7, 7, 4)) == ["4x7x7", "3x3, stride 2, places of pool1"]
    assert cell("Unpool", KEYS).outputs([dims(4, 4)]) == Dims(9, 9, 4)


def test_channels_stay_alone() -> None:
    two = cell("Unpool", f"Input=a,b|{KEYS}|Mapping.NbIterations=2|Mapping(b).OffsetX=2")
    assert two.outputs([dims(2, 4), dims(2, 4)]) == Dims(9, 9, 4)
    with pytest.raises(GraphError) as error:
        cell("Unpool", f"{KEYS}|Mapping.SizeX=2").outputs([dims(4, 4)])
    assert "Unpool cell c joins channels of env" in str(error.value)
    assert "expected: Mapping.Size=1" in str(error.value)
    with pytest.raises(GraphError, match="gives 3 outputs, NbOutputs says 4"):
        cell("Unpool", KEYS).outputs([dims(3, 4)])


def test_what_is_missing() -> None:
    with pytest.raises(ParameterError, match="missing key ArgMax"):
        cell("Unpool", "NbOutputs=4|PoolSize=2")
    with pytest.raises(GraphError, match="Unpool cell c has an input of 1x1"):
        cell("Unpool", KEYS).outputs([dims(4, 1)])
    with pytest.raises(ParameterError, match="one of Max"):
        cell("Unpool", f"{KEYS}|Pooling=Average")
