"""ElemWise: operations, coefficients, sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Cost, Dims
from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims


def test_defaults() -> None:
    add = cell("ElemWise", "Input=a,b|NbOutputs=4")
    assert (add.operation, add.coeff_mode, add.weights, add.shifts) == ("Sum", "PerInput", (), ())
    output = add.outputs([dims(4), dims(4)])
    assert output == dims(4)
    assert add.cost([dims(4), dims(4)], output) == Cost(nodes=256)
    assert add.label([dims(4), dims(4)], output) == ["4x8x8", "Sum"]


@pytest.mark.parametrize("mode", ["PerInput", "PerLayer"])
def test_what_is_not_given_is_1_and_0(mode: str) -> None:
    add = cell("ElemWise", f"Input=a,b,c|NbOutputs=4|CoeffMode={mode}|Weights=2|Shifts=1 -1")
    assert add.coefficients("weights", 3) == (2.0, 1.0, 1.0)
    assert add.coefficients("shifts", 3) == (1.0, -1.0, 0.0)


def test_coefficients_of_channels() -> None:
    add = cell("ElemWise", "Input=a,b|NbOutputs=4|CoeffMode=PerChannel|Weights=2 3")
    assert add.coefficients("weights", 2) == (2.0, 3.0, 1.0, 1.0)


def test_a_point_is_everywhere() -> None:
    add = cell("ElemWise", "Input=a,b|NbOutputs=4|Operation=Prod")
    assert add.outputs([dims(4, 1), dims(4, 8)]) == add.outputs([dims(4, 8), dims(4, 1)]) == dims(4)
    assert add.outputs([dims(4, 1), Dims(3, 3, 4, depth=2)]) == Dims(3, 3, 4, depth=2)


def test_sizes_that_differ() -> None:
    with pytest.raises(GraphError) as error:
        cell("ElemWise", "Input=a,b|NbOutputs=4").outputs([dims(4, 8), dims(4, 4)])
    assert "inputs of ElemWise cell c differ in size: b is 4x4x4" in str(error.value)
    with pytest.raises(GraphError, match="ElemWise cell c gives 3 outputs, NbOutputs says 4"):
        cell("ElemWise", "Input=a,b|NbOutputs=4").outputs([dims(4), dims(3)])


@pytest.mark.parametrize(
    ("keys", "what", "expected"),
    [
        ("Weights=1 1 1", "has 3 values in Weights", "at most 2, one for each input"),
        ("CoeffMode=PerChannel|Shifts=1 1 1 1 1", "has 5 values in Shifts", "at most 4, one for each channel"),
        ("Operation=Prod|Weights=2", "have no effect with Operation=Prod", "Operation=Sum or AbsSum or EuclideanSum"),
        ("Operation=AbsSum|Shifts=2", "have no effect with Operation=AbsSum", "Operation=Sum or EuclideanSum"),
    ],
)
def test_coefficients_that_cannot_be(keys: str, what: str, expected: str) -> None:
    with pytest.raises(GraphError) as error:
        cell("ElemWise", f"Input=a,b|NbOutputs=4|{keys}").outputs([dims(4), dims(4)])
    assert what in str(error.value)
    assert expected in str(error.value)
    assert "net.ini:" in str(error.value)
