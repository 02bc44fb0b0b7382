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


PARTED = "Input=rp,t,s,p,m|NbProposals=20|WithCls=1|NumParts=0 2 1|NumTemplates=0 1 3"


def test_parts_and_templates() -> None:
    proposal = cell("Proposal", PARTED)
    inputs = points(4, 12, 3, 9, 12)
    assert proposal.outputs(inputs) == Dims(1, 1, 5 + 3 * 2 + 3 * 3)
    assert proposal.found_in(inputs) == cell("Proposal", KEYS + "|WithCls=1").found_in(inputs[:3])
    assert proposal.label(inputs, Dims(1, 1, 20))[1:] == ["20 proposals", "parts 0 2 1, templates 0 1 3"]
    assert cell("Proposal", PARTED + "|NbOutputs=20").outputs(inputs) == Dims(1, 1, 20)
    templates = cell("Proposal", "Input=rp,t,s,m|NbProposals=20|NumTemplates=0 1 3")
    assert templates.outputs(points(4, 12, 3, 12)) == Dims(1, 1, 13)
    nothing = cell("Proposal", KEYS + "|NumParts=0 0 0")
    assert nothing.outputs(points(4, 12, 3)) == Dims(1, 1, 4)


@pytest.mark.parametrize(
    ("lines", "inputs", "what", "expected"),
    [
        (
            PARTED,
            points(4, 12, 3),
            "has inputs of 1 1 4, 1 1 12, 1 1 3",
            "each class), parts (1 1 9), templates (1 1 12)",
        ),
        (PARTED, points(4, 12, 3, 9), "has inputs of", "parts (1 1 9), templates (1 1 12)"),
        (KEYS, points(4, 12, 3, 9), "has inputs of", "scores (one for each class)"),
        (PARTED, points(4, 12, 3, 12, 9), "the parts of Proposal cell c are 1 1 12", "1 1 9: three numbers for each"),
        (
            PARTED,
            points(4, 12, 3, 9, 9),
            "the templates of Proposal cell c are 1 1 9",
            "1 1 12: three numbers for each",
        ),
        (PARTED, [*points(4, 12, 3, 9), Dims(2, 1, 12)], "has inputs of", "templates (1 1 12)"),
        (PARTED + "|NbOutputs=5", points(4, 12, 3, 9, 12), "gives 20 outputs, NbOutputs says 5", "NbOutputs=20"),
    ],
)
def test_parts_and_templates_that_do_not_fit(lines: str, inputs: list[Dims], what: str, expected: str) -> None:
    with pytest.raises(GraphError, match=what) as caught:
        cell("Proposal", lines).outputs(inputs)
    assert expected in str(caught.value)
    assert "net.ini" in str(caught.value)


@pytest.mark.parametrize("key", ["NumParts", "NumTemplates"])
def test_there_is_a_number_for_each_class(key: str) -> None:
    proposal = cell("Proposal", f"Input=rp,t,s,p|NbProposals=20|{key}=2")
    with pytest.raises(ParameterError, match=f"{key} of Proposal cell c has 1 value") as caught:
        proposal.outputs(points(4, 12, 3, 6))
    assert "expected: 3, one for each class" in str(caught.value)
    with pytest.raises(ParameterError, match=f"{key} of Proposal cell c has 4 values"):
        cell("Proposal", f"{KEYS}|{key}=0 0 0 0").outputs(points(4, 12, 3))
