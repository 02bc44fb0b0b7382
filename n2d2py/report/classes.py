"""The table of the classes of a test: precision, recall, F1 and number of stimuli, as scikit-learn prints it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from n2d2py.errors import UsageError
from n2d2py.learn.testing import Result


def check_installed() -> None:
    """Raise :class:`UsageError` if scikit-learn is not there."""
    try:
        import sklearn.metrics  # noqa: F401 - asked before hours of learning
    except ImportError:
        raise UsageError(
            "-class-report needs scikit-learn, which is not installed", remedy="pip install scikit-learn"
        ) from None


def lines(result: Result, names: Sequence[str]) -> list[str]:
    """``accuracy_score: ..`` and the table; stimuli without a label are left out."""
    from sklearn.metrics import accuracy_score, classification_report

    known = result.labels >= 0
    labels, estimated = result.labels[known].ravel(), result.estimated[known].ravel()
    if not len(labels):
        return []
    present = np.union1d(labels, estimated).tolist()
    named = [names[index] if 0 <= index < len(names) else str(index) for index in present]
    table = classification_report(labels, estimated, labels=present, target_names=named, digits=4, zero_division=0)
    return [f"accuracy_score: {accuracy_score(labels, estimated)}", *table.rstrip("\n").split("\n")]
