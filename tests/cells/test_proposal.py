"""Proposal: keys and sizes."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell

KEYS = "Input=rp,t,s|NbProposals=20"


def points(*channels: int) -> list[Dims]:
    return [Dims(1, 1, count) for count in channels]


def test_size() -> None:
    assert cell("Proposal", KEYS).outputs(points(4, 12, 3)) == Dims(1, 1, 4)
    assert cell("Proposal", KEYS).outputs(points(4, 4, 3)) == Dims(1, 1, 4)
    with_class = cell("Proposal", KEYS + "|WithCls=1|ApplyNMS=1")
    assert with_class.outputs(points(4, 12, 3)) == Dims(1, 1, 5)
    assert with_class.label(points(4, 12, 3), Dims(1, 1, 5)) == ["5x1x1", "20 proposals, NMS"]


def test_defaults() -> None:
    proposal = cell("Proposal", KEYS)
    assert (proposal.means, proposal.factors) == ((0,) * 4, (1,) * 4)
    assert (proposal.nms_iou, proposal.score_threshold, proposal.score_index, proposal.iou_index) == (0.3, 0.0, 0, 5)
    assert not proposal.apply_nms
    assert not proposal.keep_max_class


@pytest.mark.parametrize("inputs", [points(4, 12), points(5, 12, 3), points(4, 8, 3), [*points(4, 12), Dims(2, 1, 3)]])
def test_inputs_that_do_not_fit(inputs: list[Dims]) -> None:
    with pytest.raises(GraphError, match="Proposal cell c has inputs of 1 1 ") as caught:
        cell("Proposal", KEYS).outputs(inputs)
    assert "expected: boxes" in str(caught.value)


def test_what_cannot_be() -> None:
    with pytest.raises(GraphError, match="has 3 classes, the first that counts is 3"):
        cell("Proposal", KEYS + "|ScoreIndex=3").outputs(points(4, 12, 3))
    with pytest.raises(ParameterError, match="3 values are given, 4 are needed"):
        cell("Proposal", KEYS + "|StdFactor=1 1 1")
    with pytest.raises(ParameterError, match="NumParts=2 is not available"):
        cell("Proposal", KEYS + "|NumParts=2")
