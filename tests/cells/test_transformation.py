"""Transformation: a type with its own keys."""

from __future__ import annotations

import pytest

from n2d2py import data
from n2d2py.cells.base import Dims
from n2d2py.errors import ParameterError
from n2d2py.parameters import written
from tests.cells.reading import cell, dims

ROOMS = (data,)


@pytest.mark.parametrize("name", ["Rescale", "RescaleTransformation"])
def test_transformation(name: str) -> None:
    found = cell("Transformation", f"NbOutputs=4|Transformation={name}|Width=4|Height=2")
    assert found.outputs([dims(4)]) == Dims(4, 2, 4)
    assert found.label([dims(4)], Dims(4, 2, 4)) == ["4x2x4", "RescaleTransformation"]
    texts = {"NbOutputs": "4", "Transformation": "RescaleTransformation", "Width": "4", "Height": "2"}
    assert written(found).items() >= texts.items()


def test_a_transformation_that_is_misspelt() -> None:
    with pytest.raises(ParameterError, match="did you mean RescaleTransformation"):
        cell("Transformation", "NbOutputs=4|Transformation=Rescal|Width=4|Height=2")
    with pytest.raises(ParameterError, match="missing key Transformation"):
        cell("Transformation", "NbOutputs=4")
    with pytest.raises(ParameterError, match="missing key Height"):
        cell("Transformation", "NbOutputs=4|Transformation=Rescale|Width=4")
