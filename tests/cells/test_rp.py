"""RP: keys and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

KEYS = "NbAnchors=3|NbProposals=20"


def test_boxes() -> None:
    rp = cell("RP", KEYS)
    assert rp.outputs([dims(18)]) == Dims(1, 1, 4)
    assert rp.changes_rows
    assert rp.label([dims(18)], Dims(1, 1, 4)) == ["4x1x1", "20 proposals"]
    assert cell("RP", KEYS + "|NbOutputs=4").outputs([dims(18)]) == Dims(1, 1, 4)


def test_defaults() -> None:
    rp = cell("RP", KEYS)
    assert (rp.nms_iou, rp.pre_nms, rp.min_width, rp.min_height) == (0.7, 0, 0.0, 0.0)
    assert (rp.score_index, rp.iou_index) == (0, 5)
    assert (rp.foreground_rate, rp.foreground_min) == (0.25, 0.5)
    assert (rp.background_max, rp.background_min) == (0.5, 0.1)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("NbProposals=20", "missing key NbAnchors"),
        ("NbAnchors=3", "missing key NbProposals"),
        (KEYS + "|ScoreIndex=2", "RP cell c reads block 6 of its input"),
        (KEYS + "|IoUIndex=6", "RP cell c reads block 6 of its input"),
        (KEYS + "|NMS_IoU_Threshold=2", "unreadable value '2'"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("RP", lines)


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="has NbAnchors=3 and 17 channels of input") as caught:
        cell("RP", KEYS).outputs([dims(17)])
    assert "net.ini:2, [c], NbAnchors" in str(caught.value)
    with pytest.raises(GraphError, match="RP cell c has 2 inputs"):
        cell("RP", KEYS + "|Input=a,b").outputs([dims(18), dims(18)])
    with pytest.raises(GraphError, match="gives 4 outputs, NbOutputs says 5"):
        cell("RP", KEYS + "|NbOutputs=5").outputs([dims(18)])
