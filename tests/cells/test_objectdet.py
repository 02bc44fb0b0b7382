"""ObjectDet: keys and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

KEYS = "NbAnchors=2|NbClass=3|NbProposals=10"


def test_size() -> None:
    detector = cell("ObjectDet", KEYS + "|Score_Threshold=0.1 0.2 0.3")
    assert detector.outputs([dims(36)]) == Dims(1, 1, 6)
    assert detector.changes_rows
    assert detector.score_thresholds == (0.1, 0.2, 0.3)
    assert detector.label([dims(36)], Dims(1, 1, 6)) == ["6x1x1", "3 classes, 10 boxes each"]
    assert cell("ObjectDet", KEYS + "|Anchor[0]=16 1|Anchor[1]=32 1").outputs([dims(36)]) == Dims(1, 1, 6)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("NbAnchors=2|NbProposals=10", "missing key NbClass"),
        (KEYS + "|Score_Threshold=0.1 0.2", "Score_Threshold has 2 values"),
        (KEYS + "|Anchor[0]=16 1", "has NbAnchors=2 and 1 anchors"),
        (KEYS + "|PixelFormat=XYZ", "one of XY, YX"),
        (KEYS + "|NumParts=2", "NumParts of ObjectDet cell c has 1 value"),
        (KEYS + "|NumTemplates=1 1", "NumTemplates of ObjectDet cell c has 2 values"),
        (KEYS + "|NumParts=1 1 -1", "-1"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("ObjectDet", lines)


def test_channels_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="2 anchors of 3 classes and 12 channels of input") as caught:
        cell("ObjectDet", KEYS).outputs([dims(12)])
    assert "36 channels, as an Anchor cell with 6 anchors gives" in str(caught.value)


PARTED = KEYS + "|Input=a,p,m|NumParts=2 0 1|NumTemplates=0 1 3"


def test_parts_and_templates() -> None:
    detector = cell("ObjectDet", PARTED)
    inputs = [dims(36), dims(2 * 3 * 2), dims(3 * 4 * 2)]
    assert detector.outputs(inputs) == Dims(1, 1, 6 + 2 * 2 + 3 * 3)
    assert detector.found_in(inputs) == cell("ObjectDet", KEYS).found_in(inputs[:1])
    assert detector.label(inputs, Dims(1, 1, 19))[1:] == ["3 classes, 10 boxes each", "parts 2 0 1, templates 0 1 3"]
    assert cell("ObjectDet", PARTED + "|NbOutputs=19").outputs(inputs) == Dims(1, 1, 19)
    parts = cell("ObjectDet", KEYS + "|Input=a,p|NumParts=2 0 1|NumTemplates=0 0 0")
    assert parts.outputs(inputs[:2]) == Dims(1, 1, 10)
    assert cell("ObjectDet", KEYS + "|NumParts=0 0 0").outputs([dims(36)]) == Dims(1, 1, 6)


@pytest.mark.parametrize(
    "inputs",
    [
        [dims(36)],
        [dims(36), dims(12)],
        [dims(36), dims(24), dims(12)],
        [dims(36), dims(12), dims(24, 4)],
        [dims(36), dims(12), dims(24), dims(24)],
    ],
)
def test_parts_and_templates_that_do_not_fit(inputs: list[Dims]) -> None:
    with pytest.raises(GraphError, match="ObjectDet cell c has inputs of 8 8 36") as caught:
        cell("ObjectDet", PARTED).outputs(inputs)
    assert "expected: the output of an Anchor cell, parts (8 8 12), templates (8 8 24)" in str(caught.value)


def test_what_carries_nothing_has_one_input() -> None:
    with pytest.raises(GraphError, match="ObjectDet cell c has 2 inputs"):
        cell("ObjectDet", KEYS + "|Input=a,p").outputs([dims(36), dims(12)])
    with pytest.raises(GraphError, match="gives 19 outputs, NbOutputs says 6"):
        cell("ObjectDet", PARTED + "|NbOutputs=6").outputs([dims(36), dims(12), dims(24)])
