"""ROIPooling: keys and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

KEYS = "Input=rp,a,b|NbOutputs=7|OutputsWidth=3|OutputsHeight=2|Pooling=Max"
BOXES = Dims(1, 1, 4)


def test_size() -> None:
    pooling = cell("ROIPooling", KEYS)
    assert pooling.outputs([BOXES, dims(4), dims(3)]) == Dims(3, 2, 7)
    assert pooling.changes_rows
    assert pooling.label([BOXES, dims(7)], Dims(3, 2, 7)) == ["7x2x3", "Max"]
    other = cell("ROIPooling", KEYS + "|Flip=1|IgnorePadding=1")
    assert other.outputs([BOXES, dims(4), dims(3)]) == Dims(3, 2, 7)
    assert other.label([BOXES, dims(7)], Dims(3, 2, 7)) == ["7x2x3", "Max, mirrored"]


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        ([BOXES], "ROIPooling cell c has one input"),
        ([dims(4), dims(4), dims(3)], "its first input rp is 8 8 4"),
        ([Dims(1, 1, 5), dims(4), dims(3)], "its first input rp is 1 1 5"),
        ([BOXES, dims(4), dims(3, 4)], "differ in size: 4x4, 8x8"),
        ([BOXES, dims(4), dims(4)], "gives 8 outputs, NbOutputs says 7"),
    ],
)
def test_sizes_that_do_not_fit(inputs: list[Dims], what: str) -> None:
    with pytest.raises(GraphError, match=what) as caught:
        cell("ROIPooling", KEYS).outputs(inputs)
    assert "net.ini" in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (KEYS.replace("Pooling=Max", "Pooling=Maximum"), r"one of Max, Average, Bilinear, BilinearTF"),
        (KEYS.replace("|OutputsWidth=3", ""), "missing key OutputsWidth"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("ROIPooling", lines)
