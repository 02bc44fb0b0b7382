import numpy as np
import pytest
import torch

from n2d2py.errors import LearningError, Place
from n2d2py.learn.targets import Comparison, Tally, among_largest, at_outputs, estimate
from n2d2py.parts.targets import TargetScore


def target(**parameters):
    return TargetScore(name="fc.Target", cell="fc", places={"": Place("net.ini", 7, "fc.Target")}, **parameters)


def test_the_largest_output_is_estimated_and_the_first_of_equal_ones():
    output = torch.tensor([[0.1, 0.7, 0.2], [5.0, 1.0, 5.0]])
    assert estimate(output, 0.5).tolist() == [1, 0]
    assert estimate(output[:, :, None, None], 0.5).tolist() == [1, 0]


def test_one_output_neuron_has_a_threshold():
    assert estimate(torch.tensor([[0.4], [0.5], [0.6]]), 0.5).tolist() == [0, 0, 1]
    assert Comparison(target(), 1).classes == 2


def test_top_n_prefers_the_first_of_equal_outputs():
    output = torch.tensor([[3.0, 1.0, 1.0, 0.0]])
    assert [among_largest(output, torch.tensor([label]), 2).item() for label in range(4)] == [True, True, False, False]


def test_the_rate_is_the_mean_over_stimuli_that_count():
    tally = Tally(Comparison(target(), 3))
    eye = torch.eye(3)
    tally.add(eye, torch.tensor([0, 1, -1]))
    tally.add(eye[:1], torch.tensor([2]))
    assert tally.rate == pytest.approx(2 / 3)
    assert tally.recent(1) == 0.0
    assert tally.successes()[:, 0].tolist() == [1.0, 0.0]
    assert tally.confusion.matrix.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    tally.clear_confusion()
    assert tally.confusion.total == 0
    assert tally.rate == pytest.approx(2 / 3)


def test_a_batch_in_which_nothing_counts():
    tally = Tally(Comparison(target(), 3))
    tally.add(torch.eye(3), torch.full((3,), -1))
    assert tally.rate == 0.0
    assert np.isnan(tally.successes()).all()


def test_top_n_rate():
    tally = Tally(Comparison(target(top_n=2), 3))
    tally.add(torch.tensor([[3.0, 2.0, 1.0]] * 3), torch.tensor([0, 1, 2]))
    assert (tally.rate, tally.top_rate) == pytest.approx((1 / 3, 2 / 3))


def test_spatial_success_is_balanced_over_the_classes_of_a_stimulus():
    labels = torch.tensor([[[0, 0, 0, 1]], [[-1, -1, -1, -1]]])
    estimated = torch.tensor([[[0, 0, 1, 0]], [[0, 0, 0, 0]]])
    output = torch.nn.functional.one_hot(estimated, 2).movedim(-1, 1).float()
    tally = Tally(Comparison(target(), 2))
    judged = tally.add(output, labels)
    assert judged.success.tolist() == pytest.approx([(2 / 3 + 0) / 2, 1.0])
    assert tally.confusion.matrix.tolist() == [[2, 1], [1, 0]]


def test_a_pixel_of_the_output_takes_the_majority_of_the_labels_it_covers():
    labels = torch.tensor([[[0, 1, 2, 2], [1, 1, 2, -1], [0, 1, 3, -1], [1, 0, -1, 3]]])
    assert at_outputs(labels, torch.zeros(1, 4, 2, 2)).tolist() == [[[1, 2], [0, -1]]]
    assert at_outputs(labels, torch.zeros(1, 4, 1, 1)).tolist() == [1]


def test_one_label_of_a_stimulus_is_that_of_all_its_pixels():
    assert at_outputs(torch.tensor([3]), torch.zeros(1, 4, 1, 2)).tolist() == [[[3, 3]]]
    assert at_outputs(torch.tensor([[[3]]]), torch.zeros(1, 4, 1, 1)).tolist() == [3]


def test_a_label_without_output_is_an_error_that_says_what_to_do():
    comparison = Comparison(target(), 3)
    comparison.check(np.array([0, 2, -1]))
    with pytest.raises(LearningError) as caught:
        comparison.check(np.array([0, 3]))
    text = str(caught.value)
    assert "target out of range" in text
    assert "label 3" in text
    assert "net.ini:7, [fc.Target]" in text
    assert "NbOutputs=4" in text


def test_labels_go_through_the_mapping():
    comparison = Comparison(target(), 2, np.array([1, 0, -1]))
    comparison.check(np.array([0, 1, 2, -1]))
    labels = comparison.labels(torch.tensor([0, 1, 2, -1, -7]), torch.zeros(5, 2))
    assert labels.tolist() == [1, 0, -1, -1, -1]
