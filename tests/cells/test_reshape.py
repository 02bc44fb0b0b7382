"""Reshape: dimensions that are kept, given and inferred."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims


@pytest.mark.parametrize(
    ("keys", "output"),
    [
        ("NbOutputs=4|Dims=8 8 4", Dims(8, 8, 4)),
        ("NbOutputs=2|Dims=0 16 -1", Dims(8, 16, 2)),
        ("NbOutputs=256|Dims=1 1 -1", Dims(1, 1, 256)),
        ("NbOutputs=4|Dims=-1 4 0", Dims(16, 4, 4)),
        ("NbOutputs=4|Dims=4 4 4 0", Dims(4, 4, 4, depth=4)),
    ],
)
def test_dims(keys: str, output: Dims) -> None:
    assert cell("Reshape", keys).outputs([dims(4)]) == output


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("NbOutputs=4|Dims=8 8", "X Y channels or X Y Z channels"),
        ("NbOutputs=4|Dims=-1 -1 4", "one may be -1"),
        ("NbOutputs=4|Dims=-2 8 4", "one may be -1"),
        ("NbOutputs=4|Dims=8 8 3", "they would be 192"),
        ("NbOutputs=4|Dims=7 -1 4", "28 does not divide"),
    ],
)
def test_dims_that_cannot_be(keys: str, why: str) -> None:
    with pytest.raises(GraphError) as error:
        cell("Reshape", keys).outputs([dims(4)])
    assert "Reshape cell c cannot give 256 values (8 8 4) the Dims" in str(error.value)
    assert why in str(error.value)
    assert "net.ini:3, [c], Dims" in str(error.value)


def test_outputs_and_inputs() -> None:
    with pytest.raises(GraphError, match="gives 2 outputs, NbOutputs says 4"):
        cell("Reshape", "NbOutputs=4|Dims=0 16 -1").outputs([dims(4)])
    with pytest.raises(GraphError, match="Reshape cell c has 2 inputs"):
        cell("Reshape", "Input=a,b|NbOutputs=4|Dims=0 0 0").outputs([dims(4), dims(4)])
