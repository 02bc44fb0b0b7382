"""What was taken for what, kept small: of a run with millions of stimuli only those that were estimated wrongly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from n2d2py.learn.tally import PENDING
from n2d2py.learn.targets import Judged


class Mistake(NamedTuple):
    """A stimulus, or ``pixels`` of one, taken for another class."""

    id: int
    target: int
    estimated: int
    pixels: int


def mistaken(
    ids: NDArray[np.int64], labels: NDArray[np.int64], estimated: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The pairs of label and estimate that differ, by stimulus; ignored labels are no mistakes.

    int64 (mistakes, 4) with the fields of :class:`Mistake`, in the order of the stimuli.
    """
    wrong = (labels != estimated) & (labels >= 0)
    if labels.ndim == 1:
        pixels = np.ones(np.count_nonzero(wrong), np.int64)
        return np.stack([ids[wrong], labels[wrong], estimated[wrong], pixels], axis=1)
    found = [np.empty((0, 4), np.int64)]
    for row in np.flatnonzero(wrong.reshape(len(ids), -1).any(axis=1)):
        pairs = np.stack([labels[row][wrong[row]], estimated[row][wrong[row]]])
        distinct, counts = np.unique(pairs, axis=1, return_counts=True)
        found.append(np.stack([np.full(len(counts), ids[row]), *distinct, counts], axis=1))
    return np.concatenate(found)


def mistakes(ids: NDArray[np.int64], labels: NDArray[np.int64], estimated: NDArray[np.int64]) -> list[Mistake]:
    """As :func:`mistaken`, as records."""
    return records(mistaken(ids, labels, estimated))


def records(table: NDArray[np.int64]) -> list[Mistake]:
    """The rows of :func:`mistaken` as records."""
    return [Mistake(*row) for row in table.tolist()]


class Mistaken:
    """Mistakes gathered batch by batch; a device is waited for once in many batches."""

    def __init__(self) -> None:
        self._pending: list[tuple[NDArray[np.int64], Judged]] = []
        self._found: list[NDArray[np.int64]] = []

    def add(self, ids: NDArray[np.int64], judged: Judged) -> None:
        """One batch: ids of its stimuli and what its target says of them."""
        self._pending.append((judged.ids(ids), judged))
        if len(self._pending) >= PENDING:
            self._compact()

    def seen(self) -> NDArray[np.int64]:
        """The mistakes since :meth:`take`, which gives them again."""
        self._compact()
        return np.concatenate([np.empty((0, 4), np.int64), *self._found])

    def go_on(self, seen: NDArray[np.int64]) -> None:
        """Have seen these mistakes."""
        self._found = [seen]

    def take(self) -> NDArray[np.int64]:
        """The mistakes since the last call, as :func:`mistaken` gives them."""
        found = self.seen()
        self._found = []
        return found

    def _compact(self) -> None:
        if not self._pending:
            return
        ids, judged = zip(*self._pending, strict=True)
        labels = torch.cat([item.labels for item in judged]).cpu().numpy()
        estimated = torch.cat([item.estimated for item in judged]).cpu().numpy()
        self._found.append(mistaken(np.concatenate(ids), labels, estimated))
        self._pending = []
