"""Found boxes against those that are there, beside examples by hand."""

import numpy as np
import pytest
import torch

from n2d2py.learn import matching
from n2d2py.learn.matching import average_precision, matched, mean_average_precision, region_lines
from n2d2py.learn.metrics import Confusion


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), -1)


def test_each_box_takes_the_one_of_its_class_that_it_overlaps_most():
    there = boxes((0, 0, 10, 10, 0), (2, 0, 10, 10, 0), (30, 30, 10, 10, 1))
    found = boxes((1.5, 0, 10, 10, 0), (2, 0, 10, 10, 0), (30, 30, 10, 10, 1))
    pairs = matched(there, found, 0.5)
    # The first is nearer to the second region, and takes it; the next one has what is left.
    assert [pair[:2] for pair in pairs] == [(1, 0), (0, 1), (2, 2)]
    assert pairs[0].overlap == pytest.approx(9.5 / 10.5)
    assert pairs[2].overlap == 1.0


def test_a_wrong_class_pairs_with_what_the_right_ones_leave():
    there = boxes((0, 0, 10, 10, 0), (30, 30, 10, 10, 1))
    found = boxes((0, 0, 10, 10, 1), (0, 0, 10, 9, 0), (30, 30, 10, 10, 0), (50, 0, 4, 4, 0))
    assert [pair[:2] for pair in matched(there, found, 0.5)] == [(-1, 0), (0, 1), (1, 2), (-1, 3)]


def test_what_is_not_found_stays_alone():
    there = boxes((0, 0, 10, 10, 0), (30, 30, 10, 10, 1))
    assert [pair[:2] for pair in matched(there, boxes((0, 0, 10, 4, 0)), 0.5)] == [(-1, 0), (0, -1), (1, -1)]
    nothing = torch.zeros(0, 5)
    assert [pair[:2] for pair in matched(there, nothing, 0.5)] == [(0, -1), (1, -1)]
    assert [pair[:2] for pair in matched(nothing, there, 0.5)] == [(-1, 0), (-1, 1)]
    assert matched(nothing, nothing, 0.5) == []


def test_the_overlap_itself_is_enough():
    there, found = boxes((0, 0, 10, 10, 0)), boxes((0, 0, 10, 5, 0))
    assert matched(there, found, 0.5)[0][:2] == (0, 0)
    assert matched(there, found, 0.51)[0][:2] == (-1, 0)


def test_judged():
    there = [boxes((0, 0, 10, 10, 0), (30, 30, 10, 10, 1)), torch.zeros(0, 5)]
    found = [boxes((0, 0, 10, 10, 0, 0.75), (30, 30, 10, 10, 0, 0.5)), boxes((5, 5, 2, 2, 1, 0.25))]
    result = matching.judged(there, found, 0.5)
    assert result.labels.tolist() == [0, 1, -1]
    assert result.estimated.tolist() == [0, 0, 1]
    assert result.success.tolist() == [1, 0, 0]
    assert result.counts.tolist() == [True, True, False]
    assert result.ids(np.array([7, 9])).tolist() == [7, 7, 9]
    assert result.found.tolist() == [
        [0, 0, 0, 10, 10, 0, 0.75, 1],
        [0, 30, 30, 10, 10, 0, 0.5, 0],
        [1, 5, 5, 2, 2, 1, 0.25, 0],
    ]


def test_one_of_the_best_classes_is_enough():
    there, found = [boxes((0, 0, 10, 10, 2))], [boxes((0, 0, 10, 10, 0, 1))]
    assert matching.judged(there, found, 0.5, [np.array([[0, 2]])]).estimated.tolist() == [2]
    assert matching.judged(there, found, 0.5, [np.array([[0, 1]])]).success.tolist() == [0]


def test_nothing_at_all():
    result = matching.judged([torch.zeros(0, 5)], [torch.zeros(0, 6)], 0.5)
    assert (len(result.labels), result.found.shape) == (0, (0, 8))


def slow_precision(scores, right, count):
    """The area under the curve of the highest precision at each recall or beyond, point by point."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    points, hits = [], 0
    for place, index in enumerate(order, start=1):
        hits += right[index]
        points.append((hits / count, hits / place))
    area, before = 0.0, 0.0
    for recall in sorted({recall for recall, _ in points}):
        area += (recall - before) * max(precision for reached, precision in points if reached >= recall)
        before = recall
    return area


def test_average_precision():
    draw = np.random.default_rng(3)
    for _ in range(20):
        scores, right = draw.random(12), draw.random(12) < 0.5
        assert average_precision(scores, right, 15) == pytest.approx(slow_precision(scores, right, 15))
    assert average_precision(np.empty(0), np.empty(0, bool), 4) == 0
    assert np.isnan(average_precision(np.empty(0), np.empty(0, bool), 0))


def test_the_mean_is_that_of_the_classes_that_are_there():
    table = np.array([[0, 0, 0, 1, 1, 0, 0.9, 0.8], [0, 0, 0, 1, 1, 2, 0.5, 0.0], [1, 0, 0, 1, 1, 2, 0.4, 0.9]])
    assert mean_average_precision(table, np.array([1, 0, 1])) == pytest.approx((1 + 0.5) / 2)
    table[0, 6] = np.nan
    assert np.isnan(mean_average_precision(table, np.array([1, 0, 1])))


def test_lines():
    table = np.array([[0, 0, 0, 1, 1, 0, 0.9, 0.75], [0, 0, 0, 1, 1, 0, 0.5, 0.0]])
    counts = Confusion(np.array([[1, 1], [1, 0]]), True)
    assert region_lines(0.5, counts, table) == [
        "Final recognition rate: 50%    (error rate: 50%)",
        "    Found: 1 of 2 regions, with 2 boxes / Precision: 50% / Mean overlap: 75% / Mean average precision: 50%",
        "",
    ]
    without = region_lines(0.0, Confusion(np.zeros((2, 2), np.int64), True), np.empty((0, 8)))
    assert without[1] == "    Found: 0 of 0 regions, with 0 boxes / Precision: 0% / Mean overlap: 0%"
