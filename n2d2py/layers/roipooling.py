"""ROIPooling: the features of each proposed region, all of one size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.roipooling import ROIPooling
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, mirrored
from n2d2py.layers.joining import joined
from n2d2py.registry import register


@register("layer", "ROIPooling")
class ROIPoolingLayer(BoxLayer):
    """(boxes, channels, height, width) of boxes (boxes, 4, 1, 1) and features (batch, channels, ..).

    Each stimulus has as many boxes as the others, one after the other.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, ROIPooling)
        self.cell = node.cell

    @property
    def ratios(self) -> tuple[int, int]:
        """Pixels of the stimuli for one feature, across and down."""
        features = self.node.inputs[1]
        return -(-self.stimuli.width // features.width), -(-self.stimuli.height // features.height)

    def before(self, *inputs: Tensor) -> Tensor:
        proposals, features = inputs[0], joined(inputs[1:])
        boxes = proposals.detach().flatten(1)
        if self.cell.flip:
            boxes = mirrored(boxes, self.stimuli.width)
        stimuli = torch.arange(len(features), device=features.device).repeat_interleave(len(boxes) // len(features))
        across, down = self.ratios
        scaled = boxes / boxes.new_tensor([across, down, across, down])
        linear = self.cell.pooling.startswith("Bilinear")
        binned = self._binned_whole if self.cell.ignore_padding else self._binned
        return (self._sampled if linear else binned)(scaled, stimuli, features)

    def _binned(self, boxes: Tensor, stimuli: Tensor, features: Tensor) -> Tensor:
        maximum = self.cell.pooling == "Max"
        pool = functional.adaptive_max_pool2d if maximum else functional.adaptive_avg_pool2d
        size = (self.cell.height, self.cell.width)
        rows = spans(boxes[:, 1], boxes[:, 3], features.shape[2])
        columns = spans(boxes[:, 0], boxes[:, 2], features.shape[3])
        return torch.stack(
            [
                pool(features[stimulus, :, top:bottom, left:right], size)
                for stimulus, (top, bottom), (left, right) in zip(stimuli.tolist(), rows, columns, strict=True)
            ]
        )

    def _binned_whole(self, boxes: Tensor, stimuli: Tensor, features: Tensor) -> Tensor:
        """As :meth:`_binned`, of boxes that are not cut off; the maximum and the mean of a bin go axis by axis."""
        rows = bins(boxes[:, 1], boxes[:, 3], features.shape[2], self.cell.height)
        columns = bins(boxes[:, 0], boxes[:, 2], features.shape[3], self.cell.width)
        return torch.stack(
            [
                self._taken(self._taken(features[stimulus], across, 2), down, 1)
                for stimulus, down, across in zip(stimuli.tolist(), rows, columns, strict=True)
            ]
        )

    def _taken(self, x: Tensor, spans: list[tuple[int, int]], axis: int) -> Tensor:
        """One value for each span of ``axis``, 0 for an empty one."""
        parts = [x.narrow(axis, first, max(last - first, 0)) for first, last in spans]
        if self.cell.pooling == "Max":
            return torch.stack([part.max(axis).values if part.shape[axis] else part.sum(axis) for part in parts], axis)
        return torch.stack([part.sum(axis) / max(part.shape[axis], 1) for part in parts], axis)

    def _sampled(self, boxes: Tensor, stimuli: Tensor, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        upper, lower, down, inside = self._neighbours(boxes[:, 1], boxes[:, 3], height, self.cell.height)
        left, right, across, within = self._neighbours(boxes[:, 0], boxes[:, 2], width, self.cell.width)
        of = stimuli[:, None, None]

        def at(rows: Tensor, columns: Tensor) -> Tensor:
            # (boxes, height, width, channels): two index tensors around a slice put the channels last.
            return features[of, :, rows[:, :, None], columns[:, None, :]]

        right_share, low_share = across[:, None, :, None], down[:, :, None, None]
        top = torch.lerp(at(upper, left), at(upper, right), right_share)
        bottom = torch.lerp(at(lower, left), at(lower, right), right_share)
        sampled = torch.lerp(top, bottom, low_share).movedim(-1, 1)
        if self.cell.ignore_padding:
            return torch.where((inside[:, :, None] & within[:, None])[:, None], sampled, 0.0)
        return sampled

    def _neighbours(
        self, start: Tensor, length: Tensor, size: int, count: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """For each box and output along one axis two neighbours among ``size`` features, and the second's share.

        The last is whether one of the true neighbours exists. If only one does it has all the weight, as at the border.
        """
        outputs = torch.arange(count, device=start.device, dtype=start.dtype)
        first, whole = start[:, None], length[:, None]
        if self.cell.pooling == "BilinearTF":
            places = first + outputs * ((whole - 1).clamp(min=0) / max(count - 1, 1))
        else:
            places = first + (outputs + 0.5) * (whole / count) - 0.5
        exists = (places > -1) & (places < size)
        places = places.clamp(0, size - 1)
        low = places.floor()
        return low.long(), (low.long() + 1).clamp(max=size - 1), places - low, exists


def spans(start: Tensor, length: Tensor, size: int) -> list[tuple[int, int]]:
    """The whole features, first and behind the last, that cover start .. start + length, at least one of ``size``."""
    first = start.floor().clamp(0, size - 1)
    last = torch.maximum((start + length).ceil().clamp(max=size), first + 1)
    return list(zip(first.long().tolist(), last.long().tolist(), strict=True))


FAR = 1 << 24
"""Features from the first at which a box ends at the latest, so that its sides are exact integers."""


def bins(start: Tensor, length: Tensor, size: int, count: int) -> list[list[tuple[int, int]]]:
    """For each box its ``count`` bins along one axis, of which only the features 0 .. size - 1 are left.

    The whole features that cover start .. start + length, at least one, are divided as :meth:`ROIPoolingLayer._binned`
    does it. A bin that has none of them is empty: its end is not behind its beginning.
    """
    first = start.floor().clamp(-FAR, FAR)
    last = torch.maximum((start + length).ceil().clamp(-FAR, FAR), first + 1)
    index = torch.arange(count, device=start.device)
    low, side = first.long()[:, None], (last - first).long()[:, None]
    begins = (low + index * side // count).clamp(0, size)
    ends = (low - (-(index + 1) * side) // count).clamp(0, size)
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    return [list(zip(first, last, strict=True)) for first, last in pairs]
