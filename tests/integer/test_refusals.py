"""Cells that have no exact integer form, or not in this shape, are refused before anything is computed."""

from __future__ import annotations

import pytest

from n2d2py import ini
from n2d2py.errors import IntegerError
from n2d2py.graph.build import build
from n2d2py.integer.lower import lower
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Grid
from n2d2py.registry import known


@pytest.mark.parametrize(
    ("size", "cells", "why"),
    [
        ("8 8 2", "Type=LRN\nNbOutputs=2", "LRN cell c has no integer form"),
        ("8 8 2", "Type=Normalize\nNbOutputs=2\nNorm=L2", "Normalize cell c has no integer form"),
        ("8 8 5", "Type=Anchor\nDetectorType=SSD\nRatios=1\nFlip=1", "Anchor cell c has no integer form"),
        ("8 8 2", "Type=Pool\nPooling=Max\nPoolSize=2\nPadding=2\nNbOutputs=2\nMapping.Size=1", "on the padding"),
        ("8 8 2", "Type=ElemWise\nOperation=EuclideanSum\nNbOutputs=2", "a square root gives real values"),
        ("8 8 2", "Type=Activation\nActivationFunction=Swish\nNbOutputs=2", "Swish gives real values"),
    ],
)
def test_no_integer_form(size: str, cells: str, why: str) -> None:
    text = f"DefaultModel=Frame\n[env]\nSize={size}\nBatchSize=4\n[c]\nInput=env\n{cells}\n"
    network = TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini"))
    network.fill(1)
    with pytest.raises(IntegerError, match=why) as error:
        lower(network, Grid(1 / 255, 0, 255))
    assert "cell c has no" in str(error.value)
    assert "net.ini:" in str(error.value)


@pytest.mark.parametrize("name", ["Anchor", "RP", "ROIPooling", "Proposal", "ObjectDet"])
def test_cells_of_boxes_have_no_integer_form_whatever_their_keys(name: str) -> None:
    assert not known("lowering", name)
    assert not known("island", name)
