"""A target at work: which outputs are wanted, what an output estimates, and how many estimates are right.

Labels are output indices, int64; a negative one is ignored. Outputs are (batch, outputs) or, one decision for
each pixel, (batch, outputs, height, width); an output of one pixel counts as without pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from n2d2py.errors import LearningError
from n2d2py.learn.metrics import Confusion
from n2d2py.learn.rows import Rows
from n2d2py.parts.targets import Target

IGNORED = -1
"""The label of what neither learns nor scores."""

PENDING = 256
"""After how many batches what a device holds of them is fetched: waiting for it at each one would slow learning."""


def flat(output: Tensor) -> Tensor:
    """The output without its height and width if both are 1: (batch, outputs) or (batch, outputs, height, width)."""
    return output.flatten(1) if output[0, 0].numel() == 1 else output


def estimate(output: Tensor, threshold: float) -> Tensor:
    """The estimated class: index of the largest output, the first among equal ones.

    With one output neuron: 1 above ``threshold``, else 0. (batch,) or (batch, height, width), int64.
    """
    output = flat(output)
    if output.shape[1] == 1:
        return (output[:, 0] > threshold).long()
    return output.argmax(1)


def among_largest(output: Tensor, labels: Tensor, n: int) -> Tensor:
    """Whether each label is among the ``n`` largest outputs (of equal ones, the first come first); bool as labels."""
    output = flat(output)
    order = output.sort(dim=1, descending=True, stable=True).indices[:, :n]
    return (order == labels.unsqueeze(1)).any(1)


def at_outputs(labels: Tensor, output: Tensor) -> Tensor:
    """Labels of the pixels of ``output`` from labels of the stimuli or of their pixels.

    Where a pixel of the output covers several labels, it takes the most frequent one; of equally frequent
    ones the smallest, ignored (-1) being the smallest. One label of a whole stimulus is that of all pixels.
    """
    if labels.dim() > 1 and labels[0].numel() == 1:
        labels = labels.flatten()
    pixels = flat(output).shape[2:]
    if labels.dim() == 1:
        return labels.reshape(-1, *(1 for _ in pixels)).expand(-1, *pixels)
    labels = labels.reshape(labels.shape[0], *labels.shape[-2:])
    height, width = pixels or (1, 1)
    if labels.shape[1:] == (height, width):
        return labels
    if height > labels.shape[1] or width > labels.shape[2]:
        return functional.interpolate(labels[:, None].double(), (height, width), mode="nearest")[:, 0].long()
    one_hot = functional.one_hot(labels + 1).movedim(-1, 1).float()
    majority = functional.adaptive_avg_pool2d(one_hot, (height, width)).argmax(1) - 1
    return majority if pixels else majority.flatten()


class Judged(NamedTuple):
    """What a target says of a batch, each tensor with one entry a stimulus unless it has pixels."""

    labels: Tensor
    estimated: Tensor
    success: Tensor
    """Share of the stimulus that is right, float64 in [0, 1]; with ``data_as_target`` its mean squared error."""
    counts: Tensor
    """Whether the stimulus counts, bool."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A target of a cell with ``outputs`` output channels.

    ``lookup`` maps label ids of the database to output indices (int64, -1 ignores); None: they are the same.
    """

    target: Target
    outputs: int
    lookup: NDArray[np.int64] | None = None

    @property
    def classes(self) -> int:
        """Number of classes: that of the outputs, and two if there is one output."""
        return self.outputs if self.outputs > 1 else 2

    def check(self, labels: NDArray[np.int64]) -> None:
        """Raise :class:`LearningError` if no output stands for one of the database's labels."""
        largest = int(self._mapped(labels).max(initial=IGNORED))
        if largest >= self.classes:
            raise LearningError(
                f"target out of range: there is a stimulus of label {largest}, and cell {self.target.cell} "
                f"tells {self.classes} classes apart (0 to {self.classes - 1})",
                place=self.target.place(),
                remedy=f"NbOutputs={largest + 1} for the cells that end in [{self.target.cell}], "
                "or a LabelsMapping file for the target",
            )

    def _mapped(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.lookup is None:
            return labels
        return np.append(self.lookup, IGNORED)[np.where(labels < 0, len(self.lookup), labels)]

    def labels(self, labels: Tensor, output: Tensor) -> Tensor:
        """Output indices wanted at ``output``, on its device, from labels of the database; -1 for the ignored.

        That the labels are in range is not looked at (:meth:`check` does, once for a set), so that no device
        has to be waited for.
        """
        labels = labels.to(output.device, non_blocking=True)
        if self.lookup is not None:
            table = torch.from_numpy(np.append(self.lookup, IGNORED)).to(output.device, non_blocking=True)
            labels = table[torch.where(labels < 0, len(self.lookup), labels)]
        return at_outputs(labels.clamp(min=IGNORED), output)

    def judge(self, output: Tensor, labels: Tensor) -> Judged:
        """Estimates of a batch and their success; ``labels`` are those of :meth:`labels`."""
        estimated = estimate(output, self.target.binary_threshold)
        valid = labels >= 0
        right = (estimated == labels) & valid
        if labels.dim() == 1:
            return Judged(labels, estimated, right.double(), valid)
        return Judged(labels, estimated, self._balanced(labels, right, valid), torch.ones_like(valid[:, 0, 0]))

    def _balanced(self, labels: Tensor, right: Tensor, valid: Tensor) -> Tensor:
        """Mean over the classes that a stimulus shows of the share of their pixels that is right; 1 without any."""
        shape = (labels.shape[0], self.classes)
        index = labels.clamp(min=0).flatten(1)
        pixels = torch.zeros(shape, dtype=torch.float64, device=labels.device)
        pixels.scatter_add_(1, index, valid.flatten(1).double())
        hits = torch.zeros_like(pixels).scatter_add_(1, index, right.flatten(1).double())
        present = (pixels > 0).sum(1)
        shares = (hits / pixels.clamp(min=1)).sum(1) / present.clamp(min=1)
        return torch.where(present > 0, shares, 1.0)


class Tally:
    """Success and confusion of one target, added up batch by batch on the device of the outputs."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        # Of each batch: sum of success, sum of success among the TopN largest, stimuli that count.
        self._pending: list[Tensor] = []
        self._sums = Rows(3)
        self._successes = Rows(2)
        self._matrix: Tensor | None = None

    def add(self, output: Tensor, labels: Tensor) -> Judged:
        """Count one batch."""
        judged = self.comparison.judge(output, labels)
        success = torch.where(judged.counts, judged.success, 0.0).sum()
        top = self.comparison.target.top_n
        top_success = success
        if top > 1 and labels.dim() == 1:
            top_success = (among_largest(output, labels, top) & judged.counts).sum().double()
        self._pending.append(torch.stack([success, top_success, judged.counts.sum().double()]))
        if len(self._pending) >= PENDING:
            self._compact()
        self._count(judged)
        return judged

    def _count(self, judged: Judged) -> None:
        classes = self.comparison.classes
        if self._matrix is None:
            # One more cell takes what is ignored, so that no device has to be asked how much that is.
            self._matrix = torch.zeros(classes * classes + 1, dtype=torch.int64, device=judged.labels.device)
        pair = torch.where(judged.labels >= 0, judged.labels * classes + judged.estimated, classes * classes)
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
        classes = self.comparison.classes
        if self._matrix is None:
            return Confusion(np.zeros((classes, classes), np.int64))
        return Confusion(self._matrix[:-1].cpu().numpy().reshape(classes, classes).copy())

    def clear_confusion(self) -> None:
        """Begin the confusion matrix anew; the success stays."""
        self._matrix = None
