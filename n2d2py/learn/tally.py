"""Success and confusion of a target, counted batch by batch where the outputs are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.learn.metrics import Confusion
from n2d2py.learn.rows import Rows
from n2d2py.learn.targets import Comparison, Judged, among_largest

PENDING = 256
"""After how many batches what a device holds of them is fetched: waiting for it at each one would slow learning."""


class Tally:
    """Success and confusion of one target, added up batch by batch on the device of the outputs."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        # Of each batch: sum of success, sum of success among the TopN largest, stimuli that count.
        self._pending: list[Tensor] = []
        self._sums = Rows(3)
        self._successes = Rows(2)
        self._matrix: Tensor | None = None
        self._shared = 0

    def add(self, outputs: Mapping[str, Tensor], labels: Tensor, data: Tensor) -> Judged:
        """Count one batch; see :meth:`Comparison.judge`."""
        judged = self.comparison.judge(outputs, labels, data)
        success = torch.where(judged.counts, judged.success, 0.0).sum()
        target = self.comparison.target
        top, output = target.top_n, outputs[target.cell]
        top_success = success
        if top > 1 and judged.labels.dim() == 1 and judged.rows is None:
            top_success = (among_largest(output, labels, top) & judged.counts).sum().double()
        self._pending.append(torch.stack([success, top_success, judged.counts.sum().double()]))
        if len(self._pending) >= PENDING:
            self._compact()
        self._count(judged)
        return judged

    def _count(self, judged: Judged) -> None:
        classes, none = self._classes, self.comparison.classes
        if self._matrix is None:
            # One more cell takes what is ignored, so that no device has to be asked how much that is.
            self._matrix = torch.zeros(classes * classes + 1, dtype=torch.int64, device=judged.labels.device)
        if self._matrix.device != judged.labels.device:
            self._matrix = self._matrix.to(judged.labels.device)  # it comes from a checkpoint
        labels, estimated = judged.labels, judged.estimated
        counted = labels >= 0
        if self.comparison.has_none:
            # An answer inside the mask, or in no region, counts although no label is there.
            counted = counted | (estimated >= 0) if self.comparison.counts_unlabelled else counted
            labels, estimated = (torch.where(each < 0, none, each) for each in (labels, estimated))
        pair = torch.where(counted, labels * classes + estimated, classes * classes)
        self._matrix.scatter_add_(0, pair.flatten(), torch.ones_like(pair).flatten())

    def successes(self) -> NDArray[np.float64]:
        """(batches, 2): success of each batch and success among the TopN, as ratios; nan where nothing counts."""
        self._compact()
        return self._successes.table()

    def _compact(self) -> None:
        """Fetch from the device what has come since the last time."""
        if not self._pending:
            return
        sums = torch.stack(self._pending).cpu().numpy()
        self._pending = []
        self._sums.append(sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._successes.append(sums[:, :2] / sums[:, 2:])

    def _mean(self, column: int, batches: int = 0) -> float:
        self._compact()
        sums = self._sums.table(batches).sum(0).tolist()
        return float(sums[column] / sums[2]) if sums[2] else 0.0

    def recent(self, batches: int = 0) -> float:
        """The recognition rate over the last ``batches`` batches (0: all), as a ratio."""
        return self._mean(0, batches)

    @property
    def rate(self) -> float:
        """The recognition rate: the mean success of the stimuli that count, as a ratio."""
        return self._mean(0)

    @property
    def top_rate(self) -> float:
        """The share of stimuli whose label is among the TopN largest outputs."""
        return self._mean(1)

    @property
    def confusion(self) -> Confusion:
        """Target against estimate, of stimuli or of pixels."""
        classes, has_none = self._classes, self.comparison.has_none
        if self._matrix is None:
            return Confusion(np.zeros((classes, classes), np.int64), has_none)
        return Confusion(self._matrix[:-1].cpu().numpy().reshape(classes, classes).copy(), has_none)

    @property
    def _classes(self) -> int:
        """Classes of the matrix: none at all is one more where it can be."""
        return self.comparison.classes + self.comparison.has_none

    def table(self) -> NDArray[np.float64]:
        """(batches, 3): of each batch the sums of success and of TopN success, and how many stimuli count."""
        self._compact()
        return self._sums.table()

    def go_on(self, table: NDArray[np.float64], matrix: NDArray[np.int64]) -> None:
        """Be as another tally was that gave this :meth:`table` and the matrix of its :attr:`confusion`."""
        self._begin(table)
        self._matrix = torch.from_numpy(np.append(matrix.reshape(-1), 0))

    def share(self, add: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
        """Count what all processes of the run have counted since the last call; ``add`` adds over all of them."""
        table = self.table()
        if len(table) == self._shared:
            return
        self._begin(np.concatenate([table[: self._shared], add(table[self._shared :].copy())]))

    def _begin(self, table: NDArray[np.float64]) -> None:
        self._sums, self._successes, self._shared = Rows(3), Rows(2), len(table)
        self._sums.append(table)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._successes.append(table[:, :2] / table[:, 2:])

    def clear_confusion(self) -> None:
        """Begin the confusion matrix anew; the success stays."""
        self._matrix = None
