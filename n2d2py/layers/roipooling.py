"""ROIPooling: the features of each proposed region, all of one size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.roipooling import ROIPooling
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer
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
        stimuli = torch.arange(len(features), device=features.device).repeat_interleave(len(boxes) // len(features))
        across, down = self.ratios
        scaled = boxes / boxes.new_tensor([across, down, across, down])
        linear = self.cell.pooling.startswith("Bilinear")
        return (self._sampled if linear else self._binned)(scaled, stimuli, features)

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

    def _sampled(self, boxes: Tensor, stimuli: Tensor, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        upper, lower, down = self._neighbours(boxes[:, 1], boxes[:, 3], height, self.cell.height)
        left, right, across = self._neighbours(boxes[:, 0], boxes[:, 2], width, self.cell.width)
        of = stimuli[:, None, None]

        def at(rows: Tensor, columns: Tensor) -> Tensor:
            # (boxes, height, width, channels): two index tensors around a slice put the channels last.
            return features[of, :, rows[:, :, None], columns[:, None, :]]

        right_share, low_share = across[:, None, :, None], down[:, :, None, None]
        top = torch.lerp(at(upper, left), at(upper, right), right_share)
        bottom = torch.lerp(at(lower, left), at(lower, right), right_share)
        return torch.lerp(top, bottom, low_share).movedim(-1, 1)

    def _neighbours(self, start: Tensor, length: Tensor, size: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """For each box and output along one axis two neighbours among ``size`` features, and the second's share."""
        outputs = torch.arange(count, device=start.device, dtype=start.dtype)
        first, whole = start[:, None], length[:, None]
        if self.cell.pooling == "BilinearTF":
            places = first + outputs * ((whole - 1).clamp(min=0) / max(count - 1, 1))
        else:
            places = first + (outputs + 0.5) * (whole / count) - 0.5
        places = places.clamp(0, size - 1)
        low = places.floor()
        return low.long(), (low.long() + 1).clamp(max=size - 1), places - low


def spans(start: Tensor, length: Tensor, size: int) -> list[tuple[int, int]]:
    """The whole features, first and behind the last, that cover start .. start + length, at least one of ``size``."""
    first = start.floor().clamp(0, size - 1)
    last = torch.maximum((start + length).ceil().clamp(max=size), first + 1)
    return list(zip(first.long().tolist(), last.long().tolist(), strict=True))
