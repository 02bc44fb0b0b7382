"""The confusion matrix of a classification, the thirteen metrics that N2D2 makes from it, and their lines.

Every metric is computed one class against all others. What is printed is the macro average: the mean over the
classes that occur, as target or as estimate. ``Accuracy`` is therefore the mean of one-against-all accuracies,
near 100 % with many classes, and not the recognition rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ratios = NDArray[np.float64]


def number(value: float) -> str:
    """A number as a C++ stream writes it by default: six significant digits, no trailing zeros.

    >>> number(99.17500000001), number(3.4), number(0.00001), number(100.0)
    ('99.175', '3.4', '1e-05', '100')
    """
    return f"{value:g}"


def percent(ratio: float) -> str:
    """A ratio as a percentage, in the format of :func:`number`.

    >>> percent(0.966)
    '96.6%'
    """
    return f"{number(100.0 * ratio)}%"


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often a stimulus (or pixel) of a target was estimated to be what: int64 [target, estimated].

    With ``has_none`` the last class is none at all: what has no label, or no answer. It enters no average.
    """

    matrix: NDArray[np.int64]
    has_none: bool = False

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.matrix + other.matrix, self.has_none)

    @property
    def total(self) -> int:
        """Number of stimuli."""
        return int(self.matrix.sum())

    @property
    def true_positives(self) -> NDArray[np.int64]:
        """Of each class: stimuli of the class that were estimated to be of it."""
        return np.diagonal(self.matrix).copy()

    @property
    def false_negatives(self) -> NDArray[np.int64]:
        """Of each class: stimuli of the class that were estimated to be of another."""
        return self.matrix.sum(axis=1) - self.true_positives

    @property
    def false_positives(self) -> NDArray[np.int64]:
        """Of each class: stimuli of another that were estimated to be of the class."""
        return self.matrix.sum(axis=0) - self.true_positives

    @property
    def true_negatives(self) -> NDArray[np.int64]:
        """Of each class: stimuli of another that were estimated to be of another."""
        return self.total - self.true_positives - self.false_negatives - self.false_positives

    def metric(self, name: str) -> Ratios:
        """The metric called ``name`` (one of :data:`METRICS`) of each class, as ratios."""
        return METRICS[name](self)

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """The classes that occur as target or as estimate; only they enter an average."""
        found = self.true_positives + self.false_positives + self.false_negatives > 0
        if self.has_none:
            found[-1] = False
        return found

    def average(self, name: str) -> float:
        """The macro average of a metric; 0 if nothing has been counted."""
        relevant = self.relevant
        return float(self.metric(name)[relevant].mean()) if relevant.any() else 0.0


def _ratio(numerator: Any, denominator: Any) -> Ratios:
    """The quotient; 0 where the numerator is 0, whatever the denominator."""
    numerator = np.asarray(numerator, np.float64)
    denominator = np.asarray(denominator, np.float64)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=numerator != 0)


def sensitivity(counts: Confusion) -> Ratios:
    """TP / (TP + FN), also called recall."""
    return _ratio(counts.true_positives, counts.true_positives + counts.false_negatives)


def specificity(counts: Confusion) -> Ratios:
    """TN / (TN + FP)."""
    return _ratio(counts.true_negatives, counts.true_negatives + counts.false_positives)


def precision(counts: Confusion) -> Ratios:
    """TP / (TP + FP)."""
    return _ratio(counts.true_positives, counts.true_positives + counts.false_positives)


def negative_predictive_value(counts: Confusion) -> Ratios:
    """TN / (TN + FN)."""
    return _ratio(counts.true_negatives, counts.true_negatives + counts.false_negatives)


def intersection_over_union(counts: Confusion) -> Ratios:
    """TP / (TP + FP + FN)."""
    return _ratio(counts.true_positives, counts.true_positives + counts.false_positives + counts.false_negatives)


def accuracy(counts: Confusion) -> Ratios:
    """(TP + TN) / all."""
    return _ratio(counts.true_positives + counts.true_negatives, np.full(len(counts.matrix), counts.total))


def f1_score(counts: Confusion) -> Ratios:
    """2 P R / (P + R), the harmonic mean of precision and sensitivity."""
    p, r = precision(counts), sensitivity(counts)
    return _ratio(2.0 * p * r, p + r)


METRICS: Mapping[str, Callable[[Confusion], Ratios]] = {
    "Sensitivity": sensitivity,
    "Specificity": specificity,
    "Precision": precision,
    "NegativePredictiveValue": negative_predictive_value,
    "MissRate": lambda counts: 1.0 - sensitivity(counts),
    "FallOut": lambda counts: 1.0 - specificity(counts),
    "FalseDiscoveryRate": lambda counts: 1.0 - precision(counts),
    "FalseOmissionRate": lambda counts: 1.0 - negative_predictive_value(counts),
    "IU": intersection_over_union,
    "Accuracy": accuracy,
    "F1Score": f1_score,
    "Informedness": lambda counts: sensitivity(counts) + specificity(counts) - 1.0,
    "Markedness": lambda counts: precision(counts) + negative_predictive_value(counts) - 1.0,
}
"""The metrics by name; the value of each is a ratio for each class."""


def metric_lines(counts: Confusion) -> list[str]:
    """The two lines of averages that follow a recognition rate or a validation score."""

    def shown(name: str) -> str:
        return percent(counts.average(name))

    return [
        f"    Sensitivity: {shown('Sensitivity')} / Specificity: {shown('Specificity')} / "
        f"Precision: {shown('Precision')}",
        f"    Accuracy: {shown('Accuracy')} / F1-score: {shown('F1Score')} / Informedness: {shown('Informedness')}",
    ]


def final_lines(rate: float, counts: Confusion) -> list[str]:
    """The block that ends a test: recognition rate, averages, and an empty line. ``rate`` is a ratio."""
    percentage = 100.0 * rate
    first = f"Final recognition rate: {number(percentage)}%    (error rate: {number(100.0 - percentage)}%)"
    return [first, *metric_lines(counts), ""]
