"""Anchor: keys, channels, what cannot be."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

THREE = "DetectorType=LapNet|Ratios=0.5 1 2"


def test_channels() -> None:
    anchor = cell("Anchor", THREE)
    assert anchor.outputs([dims(15, 4, 6)]) == Dims(6, 4, 18)
    assert cell("Anchor", THREE + "|ScoresCls=1|NbOutputs=18").outputs([dims(18)]) == dims(18)
    two = cell("Anchor", THREE + "|Input=a,b")
    assert two.outputs([dims(3), dims(12)]) == dims(18)
    assert anchor.label([dims(15)], dims(18)) == ["18x8x8", "LapNet, 3 anchors"]
    mirrored = cell("Anchor", THREE + "|Flip=1")
    assert mirrored.outputs([dims(15)]) == dims(18)
    assert mirrored.label([dims(15)], dims(18))[1] == "LapNet, 3 anchors, mirrored"


def test_defaults() -> None:
    anchor = cell("Anchor", THREE)
    assert (anchor.positive_iou, anchor.negative_iou, anchor.loss_lambda) == (0.7, 0.3, 10.0)
    assert (anchor.positive_sample, anchor.negative_sample) == (128, 128)
    assert (anchor.negative_ratio, anchor.most_labels, anchor.classes) == (3.0, 1000, 1)
    assert (anchor.map_width, anchor.map_height, anchor.scores_cls, anchor.input_format) == (0, 0, 0, "CA")


def test_configuration_sections_give_keys() -> None:
    assert cell("Anchor", THREE, "PositiveIoU=0.6|NegativeIoU=0.4").negative_iou == 0.4


def test_a_missing_detector(caplog: pytest.LogCaptureFixture) -> None:
    assert cell("Anchor", "Ratios=1").detector == "SSD"
    assert "Anchor cell c without DetectorType: SSD is taken, at: net.ini:1, [c]" in caplog.text


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("DetectorType=Yolo|Ratios=1", r"did you mean YOLO\?"),
        (THREE + "|NegativeIoU=0.8", r"NegativeIoU=0.8 is above PositiveIoU=0.7"),
        (THREE + "|NbClass=2", "3 anchors cannot be shared out to 2 classes"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("Anchor", lines)


def test_channels_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="has 3 anchors and 14 channels of input") as caught:
        cell("Anchor", THREE).outputs([dims(14)])
    assert "expected: 15 channels: 1 of scores and 4 of offsets for each anchor" in str(caught.value)
    with pytest.raises(GraphError, match="gives 18 outputs, NbOutputs says 15"):
        cell("Anchor", THREE + "|NbOutputs=15").outputs([dims(15)])
    with pytest.raises(GraphError, match="differ in size"):
        cell("Anchor", THREE + "|Input=a,b").outputs([dims(3), dims(12, 4)])
