"""LRN: its keys."""

from __future__ import annotations

import pytest

from n2d2py.errors import GraphError
from tests.cells.reading import cell, dims


def test_lrn() -> None:
    lrn = cell("LRN", "NbOutputs=4")
    assert (lrn.size, lrn.alpha, lrn.beta, lrn.k) == (5, 1e-4, 0.75, 2.0)
    assert lrn.label([dims(4)], dims(4)) == ["4x8x8", "over 5 channels"]
    with pytest.raises(GraphError, match="LRN cell c has an input of 1x1"):
        lrn.outputs([dims(4, 1)])
