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
        (KEYS + "|NumTemplates=1 1 1", "NumTemplates=1 1 1 is not available"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("ObjectDet", lines)


def test_channels_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="2 anchors of 3 classes and 12 channels of input") as caught:
        cell("ObjectDet", KEYS).outputs([dims(12)])
    assert "36 channels, as an Anchor cell with 6 anchors gives" in str(caught.value)
