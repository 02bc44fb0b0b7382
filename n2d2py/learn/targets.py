"""A target at work: which outputs are wanted, what an output estimates, and how many estimates are right.

Labels are output indices, int64; a negative one is ignored. Outputs are (batch, outputs) or, one decision for
each pixel, (batch, outputs, height, width); an output of one pixel counts as without pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from n2d2py.errors import LearningError
from n2d2py.parts.targets import Target, TargetScore

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch, Stimuli

IGNORED = -1
"""The label of what neither learns nor scores."""

NONE = -1
"""The estimate where there is no answer."""

NEVER = -2
"""No label: the WeakTarget that never yields."""

_LEAST = 1e-30


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


def answers(output: Tensor, target: Target) -> Tensor:
    """As :func:`estimate`, and :data:`NONE` where the estimate's output is below the target's ValueThreshold."""
    estimated = estimate(output, target.binary_threshold)
    if not target.value_threshold:
        return estimated
    return torch.where(flat(output).amax(1) < target.value_threshold, NONE, estimated)


def at_outputs(labels: Tensor, output: Tensor, weak: int = NEVER) -> Tensor:
    """Labels of the pixels of ``output`` from labels of the stimuli or of their pixels.

    Where a pixel of the output covers several labels, it takes the most frequent one; of equally frequent
    ones the smallest, ignored (-1) being the smallest. If that is ``weak``, it takes the next most frequent one.
    One label of a whole stimulus is that of all pixels.
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
    # In place of torch's one_hot, which looks at the labels: a device would have to be waited for.
    classes = torch.arange(-1, max(2, output.shape[1]), device=labels.device)[:, None, None]
    shares = functional.adaptive_avg_pool2d((labels[:, None] == classes).float(), (height, width))
    if -1 <= weak < shares.shape[1] - 1:
        # Below every label that is there, and above those that are not.
        shares[:, weak + 1] = torch.where(shares[:, weak + 1] > 0, _LEAST, 0.0)
    majority = shares.argmax(1) - 1
    return majority if pixels else majority.flatten()


def _resized(mask: Tensor, estimated: Tensor) -> Tensor:
    """A mask (batch,) or (batch, height, width) at the pixels of ``estimated``."""
    if estimated.dim() == 1:
        return mask if mask.dim() == 1 else mask.flatten(1).any(1)
    if mask.dim() == 1:
        return mask[:, None, None].expand_as(estimated)
    if mask.shape == estimated.shape:
        return mask
    return functional.interpolate(mask[:, None].float(), estimated.shape[1:], mode="nearest")[:, 0] > 0


class Judged(NamedTuple):
    """What a target says of a batch, each tensor with one entry a stimulus unless it has pixels."""

    labels: Tensor
    estimated: Tensor
    success: Tensor
    """Share of the stimulus that is right, float64 in [0, 1]; with ``data_as_target`` its mean squared error."""
    counts: Tensor
    """Whether the stimulus counts, bool."""

    rows: NDArray[np.int64] | None = None
    """Where an entry is not a stimulus but one of its regions: the number of the stimulus in the batch."""

    found: NDArray[np.float64] | None = None
    """What was found (boxes, 8): number of the stimulus, x, y, width, height, class, score, overlap with a region."""

    def ids(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The id of the stimulus of each entry, from those of the batch."""
        return ids if self.rows is None else ids[self.rows]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A target of a cell with ``outputs`` output channels.

    ``lookup`` maps label ids of the database to output indices (int64, -1 ignores), its last entry being that of
    label -1; None: they are the same. ``mask`` is the target whose estimates say where this one counts.
    """

    target: Target
    outputs: int
    lookup: NDArray[np.int64] | None = None
    mask: Target | None = None
    _there: dict[torch.device, Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def classes(self) -> int:
        """Number of classes: that of the outputs, two if there is one output; of values those of their scale."""
        if self.target.data_as_target:
            return self.target.confusion_quant_steps if isinstance(self.target, TargetScore) else 1
        return self.outputs if self.outputs > 1 else 2

    @property
    def has_none(self) -> bool:
        """Whether there can be no answer, or an answer where there is no label."""
        return self.mask is not None or self.target.value_threshold > 0

    @property
    def needs_values(self) -> bool:
        """Whether it looks at the outputs as real numbers, and not only at their order."""
        target = self.target
        return self.outputs == 1 or target.data_as_target or target.value_threshold > 0

    @property
    def cells(self) -> list[str]:
        """The cells whose outputs it looks at."""
        return [self.target.cell] if self.mask is None else [self.target.cell, self.mask.cell]

    @property
    def counts_unlabelled(self) -> bool:
        """Whether an answer counts although no label is there."""
        return self.mask is not None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, if they are not those of the labels."""
        return ()

    def check_set(self, stimuli: Stimuli, name: str) -> None:
        """:meth:`check` what is to be learned or tested of a set."""
        self.check(stimuli.labels(name))

    def wanted(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """What is wanted at the outputs of :attr:`cells`: their :meth:`labels`."""
        return self.labels(batch.labels, outputs[self.target.cell])

    def tested(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """As :meth:`wanted`, of what a test compares with."""
        return self.wanted(outputs, batch)

    def check(self, labels: NDArray[np.int64]) -> None:
        """Raise :class:`LearningError` if no output stands for one of the database's labels."""
        if self.target.data_as_target:
            return
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
        return labels if self.lookup is None else self.lookup[np.maximum(labels, IGNORED)]

    def labels(self, labels: Tensor, output: Tensor) -> Tensor:
        """Output indices wanted at ``output``, on its device, from labels of the database; -1 for the ignored.

        That the labels are in range is not looked at (:meth:`check` does, once for a set), so that no device
        has to be waited for.
        """
        labels = labels.to(output.device, non_blocking=True).clamp(min=IGNORED)
        if self.target.data_as_target:
            return labels  # which nobody looks at
        if self.lookup is not None:
            labels = self._lookup_on(output.device)[labels]
        return at_outputs(labels, output, self.target.weak_target)

    def _lookup_on(self, device: torch.device) -> Tensor:
        """The map of labels, which is brought to a device once."""
        if device not in self._there:
            assert self.lookup is not None  # the caller has looked
            self._there[device] = torch.from_numpy(self.lookup).to(device)
        return self._there[device]

    def judge(self, outputs: Mapping[str, Tensor], labels: Tensor, data: Tensor) -> Judged:
        """Estimates of a batch and their success.

        ``outputs`` are those of :attr:`cells` by name, ``labels`` those of :meth:`labels`, ``data`` what values are
        compared with (DataAsTarget): the stimuli, or their target data.
        """
        output = outputs[self.target.cell]
        if self.target.data_as_target:
            return self._compared(output, data)
        estimated = answers(output, self.target)
        if self.mask is not None:
            inside = answers(outputs[self.mask.cell], self.mask) == self.target.masked_label
            estimated = torch.where(_resized(inside, estimated), estimated, NONE)
        valid = labels >= 0
        right = (estimated == labels) & valid
        if labels.dim() == 1:
            return Judged(labels, estimated, right.double(), valid)
        return Judged(labels, estimated, self._balanced(labels, right, valid), torch.ones_like(valid[:, 0, 0]))

    def _compared(self, output: Tensor, data: Tensor) -> Judged:
        """Values against values: success is the mean squared error, classes are steps of the values' scale."""
        wanted, found = data.flatten(1).double(), output.flatten(1).double()
        low, high = 0.0, 1.0
        if isinstance(self.target, TargetScore):
            low, high = self.target.confusion_range_min, self.target.confusion_range_max
        steps = [
            ((values - low) / (high - low) * self.classes).floor().clamp(0, self.classes - 1).long()[:, None]
            for values in (wanted, found)
        ]
        success = (wanted - found).square().mean(1)
        return Judged(steps[0], steps[1], success, torch.ones_like(success, dtype=torch.bool))

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
