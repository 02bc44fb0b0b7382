"""Padding: sides and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Cost, Dims
from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims


def test_sides() -> None:
    padding = cell("Padding", "NbOutputs=4|TopPadding=1|BottomPadding=2|LeftPadding=-3|RightPadding=4")
    output = padding.outputs([dims(4)])
    assert output == Dims(9, 11, 4)
    assert padding.cost([dims(4)], output) == Cost(nodes=396)
    assert padding.label([dims(4)], output) == ["4x11x9", "top 1, bottom 2, left -3, right 4"]
    assert cell("Padding", "NbOutputs=4").outputs([dims(4)]) == dims(4)


@pytest.mark.parametrize("keys", ["LeftPadding=-8", "TopPadding=-4|BottomPadding=-4", "TopPadding=-9|BottomPadding=9"])
def test_nothing_is_left(keys: str) -> None:
    with pytest.raises(GraphError, match=r"Padding cell c crops [0-9] and [0-9] of 8 values"):
        cell("Padding", f"NbOutputs=4|{keys}").outputs([dims(4)])


def test_a_point() -> None:
    with pytest.raises(GraphError, match="Padding cell c has an input of 1x1"):
        cell("Padding", "NbOutputs=4|LeftPadding=1").outputs([dims(4, 1)])
