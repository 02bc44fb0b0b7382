"""Transpose: orders of the axes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims


def test_axes() -> None:
    assert cell("Transpose", "NbOutputs=5|Perm=1 2 0 3").outputs([dims(4, 6, 5)]) == Dims(6, 4, 5)
    assert cell("Transpose", "NbOutputs=6|Perm=0 2 1 3").outputs([dims(4, 6, 5)]) == Dims(5, 4, 6)
    assert cell("Transpose", "NbOutputs=2|Perm=0 1 3 2 4").outputs([Dims(5, 6, 4, 2)]) == Dims(5, 6, 2, 4)


@pytest.mark.parametrize("perm", ["0 1 2", "0 1 3 2", "0 0 2 3", "0 1 2 4"])
def test_axes_that_cannot_be(perm: str) -> None:
    with pytest.raises(GraphError) as error:
        cell("Transpose", f"NbOutputs=4|Perm={perm}").outputs([dims(4)])
    assert f"Transpose cell c has Perm={perm}" in str(error.value)
    assert "each of 0 .. 3 once, and 3 (the batch) at the end" in str(error.value)
