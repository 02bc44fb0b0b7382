"""Resize: keys and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims


def test_size() -> None:
    resize = cell("Resize", "NbOutputs=4|OutputWidth=5|OutputHeight=3|Mode=BilinearTF")
    assert resize.align_corners
    assert resize.outputs([dims(4)]) == Dims(5, 3, 4)
    assert not resize.selects
    assert cell("Resize", "NbOutputs=4|OutputWidth=5|OutputHeight=3|Mode=NearestNeighbor").selects
    assert resize.label([dims(4)], Dims(5, 3, 4)) == ["4x3x5", "BilinearTF"]


def test_what_cannot_be() -> None:
    with pytest.raises(ParameterError, match="missing key Mode"):
        cell("Resize", "NbOutputs=4|OutputWidth=5|OutputHeight=3")
    with pytest.raises(ParameterError, match=r"did you mean Bilinear\?"):
        cell("Resize", "NbOutputs=4|OutputWidth=5|OutputHeight=3|Mode=bilinear")
    with pytest.raises(GraphError, match="Resize cell c has an input of 1x1"):
        cell("Resize", "NbOutputs=4|OutputWidth=5|OutputHeight=3|Mode=Bilinear").outputs([dims(4, 1)])
