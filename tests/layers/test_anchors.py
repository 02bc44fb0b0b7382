import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.layers.anchors import clipped, filled, mirrored, moved, offsets_to, overlaps, suppress

from . import boxes as slow

coordinates = st.integers(-20, 20).map(float)
sizes = st.integers(0, 12).map(float)
some_boxes = st.lists(st.tuples(coordinates, coordinates, sizes, sizes), min_size=1, max_size=8)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@given(some_boxes, some_boxes)
@settings(max_examples=60, deadline=None)
def test_overlaps(first, second):
    found = overlaps(tensor(first), tensor(second))
    assert torch.equal(found, tensor([[slow.iou(a, b) for b in second] for a in first]))


@given(some_boxes, st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]), st.integers(1, 6), st.data())
@settings(max_examples=80, deadline=None)
def test_suppress(found, threshold, most, data):
    scores = data.draw(st.lists(st.integers(0, 3).map(float), min_size=len(found), max_size=len(found)))
    chosen = suppress(tensor(found), tensor(scores), threshold, most)
    assert chosen.tolist() == slow.nms(found, scores, threshold, most)


@given(some_boxes)
@settings(max_examples=40, deadline=None)
def test_clipped(found):
    assert torch.equal(clipped(tensor(found), 9, 7), tensor([slow.clip(box, 9, 7) for box in found]))


def test_offsets_come_back():
    generator = torch.Generator().manual_seed(0)
    anchors, offsets = (torch.rand(20, 4, generator=generator, dtype=torch.float64) + 0.1 for _ in range(2))
    found = moved(anchors, offsets)
    expected = [slow.decode(box, offset) for box, offset in zip(anchors.tolist(), offsets.tolist(), strict=True)]
    assert torch.allclose(found, tensor(expected), rtol=1e-12)
    assert torch.allclose(offsets_to(anchors, found), offsets, rtol=1e-10)


def test_no_box_and_a_huge_offset():
    assert suppress(torch.zeros(0, 4), torch.zeros(0), 0.5, 3).tolist() == []
    huge = clipped(moved(torch.tensor([[1.0, 1.0, 4.0, 4.0]]), torch.tensor([[0.0, 0.0, 200.0, 200.0]])), 10, 8)
    assert huge.tolist() == [[1.0, 1.0, 9.0, 7.0]]


def test_filled():
    assert filled(torch.ones(1, 2), 3).tolist() == [[1, 1], [0, 0], [0, 0]]
    assert filled(torch.ones(4, 2), 3).shape == (3, 2)


@given(some_boxes)
@settings(max_examples=40, deadline=None)
def test_mirrored(found):
    boxes = tensor(found)
    other = mirrored(boxes, 16)
    assert torch.equal(other, tensor([slow.mirror(box, 16) for box in found]))
    assert torch.equal(mirrored(other, 16), boxes)
    assert torch.equal(overlaps(other, other), overlaps(boxes, boxes))
