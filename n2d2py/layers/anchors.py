"""Boxes (x, y, width, height): how much two overlap, which of many stay, how offsets move and stretch them."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.errors import LearningError
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Layer
from n2d2py.quant.grid import Coded


class BoxLayer(ActivatedLayer):
    """A layer that takes or gives boxes: on real values, in evaluation too."""

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return self.activate_coded(Coded(self.before(*(x.real() for x in inputs))))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(self.before(*inputs), own=False)


def without_truth(layer: Layer) -> LearningError:
    """The error of a layer that cannot learn because it does not know what is really in the stimuli."""
    cell = layer.node.cell
    return LearningError(
        f"{cell.type_name} cell {cell.name} cannot learn: it was not given the labelled regions of the stimuli",
        place=cell.place(),
        expected="TorchNetwork.truth: the regions of each batch, before it is learned",
    )


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of each box of ``first`` (n, 4) with each of ``second`` (m, 4): (n, m).

    It is 0 where the union is empty.
    """
    a, b = first[:, None], second[None]
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - common
    return torch.where(union > 0, common / union, 0.0)


def suppress(boxes: Tensor, scores: Tensor, threshold: float, most: int) -> Tensor:
    """Indices of at most ``most`` boxes, the highest scores first (of equal ones the first).

    A box that overlaps one already chosen by more than ``threshold`` is left out (greedy non-maximum suppression).
    ``boxes`` (n, 4), ``scores`` (n).
    """
    left = scores.sort(descending=True, stable=True).indices
    chosen: list[Tensor] = []
    while len(left) and len(chosen) < most:
        best, left = left[0], left[1:]
        chosen.append(best)
        left = left[overlaps(boxes[best][None], boxes[left])[0] <= threshold]
    return torch.stack(chosen) if chosen else left


def moved(boxes: Tensor, offsets: Tensor) -> Tensor:
    """(x + tx w, y + ty h, w exp(tw), h exp(th)) of boxes and offsets (.., 4)."""
    corner, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([corner + offsets[..., :2] * size, size * offsets[..., 2:].exp()], -1)


def offsets_to(boxes: Tensor, wanted: Tensor) -> Tensor:
    """The offsets by which :func:`moved` makes ``wanted`` of ``boxes``, both (.., 4) with sizes above 0."""
    corner, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(wanted[..., :2] - corner) / size, (wanted[..., 2:] / size).log()], -1)


def clipped(boxes: Tensor, width: float, height: float) -> Tensor:
    """The part of boxes (.., 4) that is in an image of that size; outside of it their size is 0."""
    limits = boxes.new_tensor([width, height])
    low = torch.minimum(boxes[..., :2].clamp(min=0), limits)
    high = torch.minimum((boxes[..., :2] + boxes[..., 2:]).clamp(min=0), limits)
    return torch.cat([low, (high - low).clamp(min=0)], -1)


def mirrored(boxes: Tensor, width: float) -> Tensor:
    """Where boxes (.., 4) come to lie if left and right of an image of that width are exchanged: x' = width - x - w."""
    return torch.cat([width - boxes[..., :1] - boxes[..., 2:3], boxes[..., 1:]], -1)


def filled(rows: Tensor, count: int) -> Tensor:
    """The first ``count`` of ``rows`` (n, ..), with rows of zeros behind them if there are fewer."""
    rows = rows[:count]
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])
