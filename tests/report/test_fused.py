"""The picture of the integer network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from n2d2py.graph import drawing, picture
from n2d2py.graph.picture import Picture
from n2d2py.integer.lower import lower
from n2d2py.integer.operations import Requantization
from n2d2py.integer.proof import Proof
from n2d2py.report import fused
from tests.integer.learned import IMAGES, lenet, network
from tests.integer.networks import lenet_like


@pytest.fixture(scope="module")
def drawn() -> Picture:
    return fused.picture_of(lenet_like())


def test_rescalings_are_part_of_the_cells_they_follow(drawn: Picture) -> None:
    assert [box.name for box in drawn.boxes] == ["env", "conv1", "pool1", "conv2", "pool2", "fc", "softmax"]
    assert drawn.edges[:3] == (("env", "conv1"), ("conv1", "pool1"), ("pool1", "conv2"))
    conv = drawn.boxes[1]
    assert (conv.type, conv.dims, conv.family) == ("Conv", "6x12x12", "weights")
    assert conv.lines == ("3x3", "weights 4 bits: -15..15 by 2", "accumulator 16 bits")
    tag = conv.tags[0]
    assert tag.text.startswith("clip then rescale: x ")
    assert " >> " in tag.text
    assert (tag.note, tag.kind) == ("4 bits", "rescaling")


def test_no_quantizer_is_left(drawn: Picture) -> None:
    assert {tag.kind for box in drawn.boxes for tag in box.tags} == {"rescaling"}
    source = picture.dot(drawn, "LeNet.ini").source
    assert "BatchNorm" not in source
    assert "q-step" not in source


def test_ends(drawn: Picture) -> None:
    assert drawn.boxes[0].lines == ("codes 0..255, 8 bits",)
    assert (drawn.boxes[-1].family, drawn.boxes[-1].tags) == ("real", ())
    assert not drawn.boxes[5].tags
    assert "every rescaling proved exact" in drawn.caption


def test_what_is_not_exact_is_said() -> None:
    network = lenet_like()
    wrong = [
        replace(found, proof=Proof(9, 100, np.array([2, 1]))) if isinstance(found, Requantization) else found
        for found in network
    ]
    drawn = fused.picture_of(replace(network, operations=tuple(wrong)))
    assert "not every rescaling is exact" in drawn.caption
    assert "NOT EXACT: 3 of 100 differ" in drawn.boxes[1].lines


def test_absent_connections_are_said_and_not_counted() -> None:
    network = lenet_like()
    conv = network["conv1"]
    connected = np.ones(conv.weights.shape, dtype=bool)
    connected[0, 0] = False
    masked = replace(conv, weights=np.where(connected, conv.weights, 0), connected=connected)
    operations = tuple(masked if operation is conv else operation for operation in network)
    drawn = fused.picture_of(replace(network, operations=operations))
    assert drawn.boxes[1].lines[1] == "weights 4 bits: -15..15 by 2, absent 0"
    total = sum(operation.weights.size for operation in network if hasattr(operation, "weights"))
    assert f"{total - 9:,} weights" in drawn.caption


def test_an_average_pool_and_its_rescaling_are_one_box() -> None:
    pool = "[pool1]\nInput=bn1\nType=Pool\nPooling=Max"
    average = pool.replace("Max", "Average") + "\nActivationFunction=Linear\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=2.0"
    text = lenet()
    assert pool in text
    drawn = fused.picture_of(lower(network(text.replace(pool, average)), IMAGES))
    box = next(box for box in drawn.boxes if box.name == "pool1")
    assert box.type == "SumPool"
    assert box.tags[0].text.startswith("clip then rescale: x ")
    assert all(source != sink for source, sink in drawn.edges)


@pytest.mark.skipif(not drawing.programs(), reason="no program draws graphs here")
def test_it_can_be_drawn(drawn: Picture, tmp_path: Path) -> None:
    assert len(drawing.draw(picture.dot(drawn, "LeNet.ini"), tmp_path / "LeNet.ini")) == 3
