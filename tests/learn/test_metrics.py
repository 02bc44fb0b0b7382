import numpy as np
import pytest

from n2d2py.learn.metrics import METRICS, Confusion, final_lines

GOLDEN = Confusion(np.array([[5, 3, 0], [2, 3, 1], [0, 2, 11]]))


def test_counts_of_the_golden_matrix():
    assert GOLDEN.true_positives.tolist() == [5, 3, 11]
    assert GOLDEN.false_positives.tolist() == [2, 5, 1]
    assert GOLDEN.false_negatives.tolist() == [3, 3, 2]
    assert GOLDEN.true_negatives.tolist() == [17, 16, 13]
    assert GOLDEN.total == 27


def test_thirteen_metrics_of_the_golden_matrix():
    expected = {
        "Sensitivity": [5 / 8, 3 / 6, 11 / 13],
        "Specificity": [17 / 19, 16 / 21, 13 / 14],
        "Precision": [5 / 7, 3 / 8, 11 / 12],
        "NegativePredictiveValue": [17 / 20, 16 / 19, 13 / 15],
        "MissRate": [3 / 8, 3 / 6, 2 / 13],
        "FallOut": [2 / 19, 5 / 21, 1 / 14],
        "FalseDiscoveryRate": [2 / 7, 5 / 8, 1 / 12],
        "FalseOmissionRate": [3 / 20, 3 / 19, 2 / 15],
        "IU": [5 / 10, 3 / 11, 11 / 14],
        "Accuracy": [22 / 27, 19 / 27, 24 / 27],
        "F1Score": [10 / 15, 6 / 14, 22 / 25],
        "Informedness": [5 / 8 + 17 / 19 - 1, 3 / 6 + 16 / 21 - 1, 11 / 13 + 13 / 14 - 1],
        "Markedness": [5 / 7 + 17 / 20 - 1, 3 / 8 + 16 / 19 - 1, 11 / 12 + 13 / 15 - 1],
    }
    assert set(METRICS) == set(expected)
    for name, values in expected.items():
        assert GOLDEN.metric(name) == pytest.approx(values), name
        assert GOLDEN.average(name) == pytest.approx(sum(values) / 3), name


def test_a_ratio_of_zero_numerator_is_zero():
    # Class 1 is always taken for class 0, and nothing is ever taken for class 1.
    counts = Confusion(np.array([[0, 0], [4, 0]]))
    assert counts.metric("Sensitivity").tolist() == [0.0, 0.0]
    assert counts.metric("Precision").tolist() == [0.0, 0.0]
    assert counts.metric("Specificity").tolist() == [0.0, 0.0]
    assert counts.metric("Informedness").tolist() == [-1.0, -1.0]
    assert counts.metric("F1Score").tolist() == [0.0, 0.0]


def test_averages_leave_out_classes_that_do_not_occur():
    counts = Confusion(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    assert counts.relevant.tolist() == [True, True, False]
    assert counts.average("Sensitivity") == pytest.approx((3 / 4 + 1) / 2)


def test_averages_of_nothing_are_zero():
    assert Confusion(np.zeros((3, 3), int)).average("Accuracy") == 0.0


def test_the_final_block():
    assert final_lines(0.966, Confusion(np.diag([3, 1]))) == [
        "Final recognition rate: 96.6%    (error rate: 3.4%)",
        "    Sensitivity: 100% / Specificity: 100% / Precision: 100%",
        "    Accuracy: 100% / F1-score: 100% / Informedness: 100%",
        "",
    ]


def test_six_significant_digits():
    block = final_lines(0.972848, GOLDEN)
    assert block[0] == "Final recognition rate: 97.2848%    (error rate: 2.7152%)"
    assert block[1] == "    Sensitivity: 65.7051% / Specificity: 86.1738% / Precision: 66.8651%"
    assert block[2] == "    Accuracy: 80.2469% / F1-score: 65.8413% / Informedness: 51.8789%"


def test_matrices_add_up():
    assert ((GOLDEN + GOLDEN).matrix == 2 * GOLDEN.matrix).all()
