import numpy as np
import pytest
import torch

from n2d2py.errors import LearningError, Place
from n2d2py.learn.tally import Tally
from n2d2py.learn.targets import NONE, Comparison, among_largest, answers, at_outputs, estimate
from n2d2py.parts.targets import TargetScore


def count(tally, output, labels):
    return tally.add({"fc": output}, labels, output)


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
    count(tally, eye, torch.tensor([0, 1, -1]))
    count(tally, eye[:1], torch.tensor([2]))
    assert tally.rate == pytest.approx(2 / 3)
    assert tally.recent(1) == 0.0
    assert tally.successes()[:, 0].tolist() == [1.0, 0.0]
    assert tally.confusion.matrix.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    tally.clear_confusion()
    assert tally.confusion.total == 0
    assert tally.rate == pytest.approx(2 / 3)


def test_a_batch_in_which_nothing_counts():
    tally = Tally(Comparison(target(), 3))
    count(tally, torch.eye(3), torch.full((3,), -1))
    assert tally.rate == 0.0
    assert np.isnan(tally.successes()).all()


def test_top_n_rate():
    tally = Tally(Comparison(target(top_n=2), 3))
    count(tally, torch.tensor([[3.0, 2.0, 1.0]] * 3), torch.tensor([0, 1, 2]))
    assert (tally.rate, tally.top_rate) == pytest.approx((1 / 3, 2 / 3))


def test_spatial_success_is_balanced_over_the_classes_of_a_stimulus():
    labels = torch.tensor([[[0, 0, 0, 1]], [[-1, -1, -1, -1]]])
    estimated = torch.tensor([[[0, 0, 1, 0]], [[0, 0, 0, 0]]])
    output = torch.nn.functional.one_hot(estimated, 2).movedim(-1, 1).float()
    tally = Tally(Comparison(target(), 2))
    judged = count(tally, output, labels)
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
    comparison = Comparison(target(), 2, np.array([1, 0, -1, -1]))
    comparison.check(np.array([0, 1, 2, -1]))
    labels = comparison.labels(torch.tensor([0, 1, 2, -1, -7]), torch.zeros(5, 2))
    assert labels.tolist() == [1, 0, -1, -1, -1]


def test_the_label_of_what_has_none_may_stand_for_an_output():
    comparison = Comparison(target(), 2, np.array([1, 0]))  # label 0 to output 1, label -1 to output 0
    assert comparison.labels(torch.tensor([0, -1]), torch.zeros(2, 2)).tolist() == [1, 0]


def test_a_value_below_the_threshold_is_no_answer():
    output = torch.tensor([[0.2, 0.3], [0.1, 0.9]])
    assert answers(output, target(value_threshold=0.5)).tolist() == [NONE, 1]
    assert answers(output - 1.0, target()).tolist() == [1, 1]
    tally = Tally(Comparison(target(value_threshold=0.5), 2))
    judged = count(tally, output, torch.tensor([1, 1]))
    assert judged.success.tolist() == [0.0, 1.0]
    assert tally.confusion.matrix.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert tally.confusion.relevant.tolist() == [False, True, False]  # none at all enters no average


def test_a_mask_says_where_estimates_count():
    mask = TargetScore(name="mask.Target", cell="mask")
    comparison = Comparison(target(mask_label_target="mask.Target", masked_label=1), 2, mask=mask)
    assert comparison.cells == ["fc", "mask"]
    ones = torch.ones(1, 1, 4)
    output = torch.stack([0 * ones, ones], dim=1)  # class 1 everywhere
    inside = torch.tensor([[[0.0, 1.0, 1.0, 0.0]]])
    outputs = {"fc": output, "mask": torch.stack([1 - inside, inside], dim=1)}
    labels = torch.tensor([[[1, 1, -1, -1]]])
    tally = Tally(comparison)
    judged = tally.add(outputs, labels, output)
    assert judged.estimated.tolist() == [[[NONE, 1, 1, NONE]]]
    # One outside with a label, one right, one inside without a label; what has neither is not counted.
    assert tally.confusion.matrix.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 0]]
    assert judged.success.tolist() == [0.5]


def test_a_mask_of_another_size_or_of_whole_stimuli():
    mask = TargetScore(name="mask.Target", cell="mask")
    comparison = Comparison(target(mask_label_target="mask.Target", masked_label=0), 2, mask=mask)
    output = torch.zeros(2, 2, 2, 2)
    labels = torch.zeros(2, 2, 2, dtype=torch.int64)
    whole = {"fc": output, "mask": torch.tensor([[1.0, 0.0], [0.0, 1.0]])}
    assert comparison.judge(whole, labels, output).estimated.flatten(1).tolist() == [[0] * 4, [NONE] * 4]
    finer = torch.zeros(2, 2, 4, 4)
    finer[:, 1, :2] = 1.0
    estimated = comparison.judge({"fc": output, "mask": finer}, labels, output).estimated
    assert estimated.tolist() == [[[NONE, NONE], [0, 0]]] * 2


def test_a_weak_label_yields_to_the_next_most_frequent_one():
    labels = torch.tensor([[[0, 0, 2, 2], [0, 1, 2, 2]]])
    output = torch.zeros(1, 3, 1, 2)
    assert at_outputs(labels, output).tolist() == [[[0, 2]]]
    assert at_outputs(labels, output, weak=0).tolist() == [[[1, 2]]]
    assert at_outputs(labels, output, weak=2).tolist() == [[[0, 2]]]  # no other label is there
    ignored = torch.tensor([[[-1, -1], [-1, 1]]])
    assert at_outputs(ignored, torch.zeros(1, 3, 1, 1)).tolist() == [-1]
    assert at_outputs(ignored, torch.zeros(1, 3, 1, 1), weak=-1).tolist() == [1]


def test_the_input_as_target():
    comparison = Comparison(target(data_as_target=True, confusion_quant_steps=4, confusion_range_max=2.0), 3)
    assert (comparison.classes, comparison.needs_values) == (4, True)
    comparison.check(np.array([99]))  # labels say nothing here
    data = torch.tensor([[[[0.0, 1.0]]], [[[2.0, 1.5]]]])
    output = torch.tensor([[0.0, 0.5], [2.0, 2.0]])
    tally = Tally(comparison)
    judged = tally.add({"fc": output}, comparison.labels(torch.tensor([99, 3]), output), data)
    assert judged.success.tolist() == [0.125, 0.125]  # the mean squared error
    assert tally.rate == 0.125
    assert tally.confusion.matrix.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]]
