"""TargetROIs: connected pixels are regions, and a test says which of those that are there are found."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from n2d2py.cells.base import Dims
from n2d2py.errors import LearningError
from n2d2py.learn import pixel_regions
from n2d2py.learn.pixel_regions import components, merged
from n2d2py.learn.tally import Tally
from n2d2py.parts.targets import TargetROIs, TargetScore

ROI = "roi.Target"


class Data:
    def __init__(self, names=("none", "a", "b"), default=0):
        self.label_names, self.default_label = list(names), default
        self.asked = False

    def give_regions(self):
        self.asked = True


def made(outputs=3, lookup=None, data=None, size=(8, 6), others=(), channels=3, **options):
    target = TargetROIs(name=ROI, cell="roi", **options)
    cells = {"roi": outputs, "named": channels}

    class Graph(SimpleNamespace):
        def __getitem__(self, name):
            return SimpleNamespace(output=Dims(4, 3, cells[name]))

    graph = Graph(targets=(target, *others), stimuli=Dims(size[0], size[1], 1))
    return pixel_regions.comparison(target, outputs, lookup, None, graph, data or Data())


def picture(*rows):
    """Classes by pixel, a letter each."""
    return torch.tensor([[int(letter) for letter in row] for row in rows])


def scores(classes, outputs=3):
    return torch.nn.functional.one_hot(classes, outputs).permute(2, 0, 1)[None].float()


def judged(one, there, found, **others):
    outputs = {"roi": scores(found, one.outputs), **others}
    batch = SimpleNamespace(labels=there[None], ids=np.array([5]), regions=None)
    table = one.tested(outputs, batch)
    return one.judge(outputs, table, torch.zeros(1))


def entries(result):
    return sorted(zip(result.labels.tolist(), result.estimated.tolist(), strict=True))


THERE = picture("110000", "110022", "000022", "111100")


def test_regions_that_are_found_mistaken_and_missed():
    found = picture("110000", "110011", "000011", "000000")
    one = made(size=(6, 4))
    result = judged(one, THERE, found)
    assert entries(result) == [(1, -1), (1, 1), (2, 1)]
    assert one.classes == 3
    tally = Tally(one)
    outputs = {"roi": scores(found)}
    tally.add(outputs, one.tested(outputs, SimpleNamespace(labels=THERE[None], regions=None)), torch.zeros(1))
    assert tally.rate == pytest.approx(1 / 3)
    assert tally.confusion.matrix.tolist() == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_what_is_too_much_counts_too():
    result = judged(made(size=(6, 4)), picture("000000", "000000", "000000", "000000"), THERE)
    assert entries(result) == [(-1, 1), (-1, 1), (-1, 2)]
    assert not result.counts.any()


def test_boxes_are_pixels_of_the_stimuli():
    result = judged(made(size=(12, 16)), THERE, THERE)
    assert sorted(row[1:6] for row in result.found.tolist()) == [
        [0, 0, 4, 8, 1],
        [0, 12, 8, 4, 1],
        [8, 4, 4, 8, 2],
    ]
    assert result.success.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"min_size": 4}, [1, 1, 2]),
        ({"min_size": 5}, []),
        ({"filter_min_height": 2}, [1, 2]),
        ({"filter_min_width": 3}, [1]),
        ({"filter_min_aspect_ratio": 1.5}, [1]),
        ({"filter_max_aspect_ratio": 1.5}, [1, 2]),
    ],
)
def test_regions_that_are_left_out(options, expected):
    result = judged(made(size=(6, 4), **options), THERE, THERE)
    assert sorted(result.labels.tolist()) == expected


def test_regions_that_lie_close_together_become_one():
    near = picture("110110", "110110", "000000", "000011")
    assert sorted(judged(made(size=(6, 4)), near, near).labels.tolist()) == [1, 1, 1]
    across = judged(made(size=(6, 4), merge_max_h_dist=2), near, near)
    assert sorted(row[1:5] for row in across.found.tolist()) == [[0, 0, 5, 2], [4, 3, 2, 1]]
    assert len(judged(made(size=(6, 4), merge_max_h_dist=2, merge_max_v_dist=2), near, near).labels) == 1


def test_merging_goes_on_until_nothing_is_close():
    row = [(0, 0, 2, 1), (8, 0, 2, 1), (4, 0, 2, 1), (2.5, 0, 1, 1)]
    assert sorted(merged(row, 1, 1)) == [(0, 0, 6, 1), (8, 0, 2, 1)]
    assert merged(row, 3, 1) == [(0, 0, 10, 1)]
    assert merged([], 1, 1) == []


def test_components_touch_at_corners():
    assert components(np.array([[1, 0, 0, 1], [0, 1, 0, 1]], bool)) == [(0, 0, 2, 2, 2), (3, 0, 1, 2, 2)]


def test_one_output_neuron_tells_something_from_nothing():
    one = made(outputs=1, data=Data(("a",), -1), size=(4, 2))
    outputs = {"roi": torch.tensor([[[[0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.1, 0.7]]]])}
    labels = torch.tensor([[[1, 1, 0, 0], [1, 1, 0, 0]]])
    result = one.judge(outputs, one.tested(outputs, SimpleNamespace(labels=labels, regions=None)), torch.zeros(1))
    assert entries(result) == [(-1, 1), (1, 1)]


def test_without_a_default_every_class_has_regions():
    one = made(data=Data(("x", "a", "b"), -1), size=(6, 4))
    assert sorted(judged(one, THERE, THERE).labels.tolist()) == [0, 1, 1, 2]


def test_regions_of_the_database():
    data = Data()
    one = made(data=data, size=(6, 4), generate_labels_rois=False)
    assert data.asked
    there = (torch.tensor([[0.0, 0, 2, 2, 1], [4, 1, 2, 2, 2], [0, 0, 6, 4, 0]]),)
    outputs = {"roi": scores(THERE)}
    table = one.tested(outputs, SimpleNamespace(labels=THERE[None], regions=there))
    result = one.judge(outputs, table, torch.zeros(1))
    assert entries(result) == [(-1, 1), (0, -1), (1, 1), (2, 2)]


def test_labels_of_regions_come_from_another_target():
    named = TargetScore(name="named.Target", cell="named")
    where = picture("110000", "110000", "000000", "000111")
    what = picture("220000", "210000", "000000", "000111")
    guessed = torch.zeros(1, 3, 4, 6)
    guessed[0, 1, :2, :2], guessed[0, 2, :2, :2], guessed[0, 2, 3, 3:] = 0.6, 0.5, 1.0
    options = {"others": (named,), "rois_label_target": "named.Target", "size": (6, 4), "outputs": 2}
    for top, success in ((1, [0, 0]), (2, [1, 0])):
        one = made(score_top_n=top, data=Data(("none", "a", "b"), 0), **options)
        assert one.cells == ["roi", "named"]
        outputs = {"roi": scores(where.clamp(max=1), 2), "named": guessed}
        # The labels of pixels are those of the database; where there is none of the first target's is their place.
        labels = torch.where(where > 0, what, 0)
        batch = SimpleNamespace(labels=labels[None].clamp(max=2), regions=None)
        one = made(score_top_n=top, lookup=np.array([0, 1, 1, 0]), **options)
        result = one.judge(outputs, one.tested(outputs, batch), torch.zeros(1))
        assert sorted(result.labels.tolist()) == [1, 2]
        by_label = dict(zip(result.labels.tolist(), result.success.tolist(), strict=True))
        assert [by_label[2], by_label[1]] == success
        assert one.classes == 3


def test_a_target_of_values_gives_no_labels():
    named = TargetScore(name="named.Target", cell="named", data_as_target=True)
    with pytest.raises(LearningError, match=r"cannot take labels of regions from target named\.Target"):
        made(others=(named,), rois_label_target="named.Target")


def test_it_learns_pixel_by_pixel():
    one = made(size=(6, 4))
    wanted = one.wanted({"roi": scores(THERE)}, SimpleNamespace(labels=THERE[None]))
    assert torch.equal(wanted[0], THERE)
