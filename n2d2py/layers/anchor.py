"""Anchor: boxes from the scores and offsets that a network gives for each anchor at each position."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.anchor import COORDINATES, Anchor
from n2d2py.errors import LearningError
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, clipped, mirrored, moved, offsets_to, overlaps, without_truth
from n2d2py.layers.joining import joined
from n2d2py.registry import register


@register("layer", "Anchor")
class AnchorLayer(BoxLayer):
    """In learning it asks for its own loss; nothing behind it says what it learns, and no gradient comes back.

    ``truth`` are the labelled regions of the batch; learning without them is a :class:`LearningError`.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Anchor)
        self.cell = node.cell
        self.count = len(node.cell.boxes)

    @property
    def image(self) -> tuple[int, int]:
        """Width and height of the image in which the boxes are."""
        return self.cell.map_width or self.stimuli.width, self.cell.map_height or self.stimuli.height

    def anchors(self, like: Tensor) -> Tensor:
        """The anchors at their positions, (anchors, height, width, 4), of the type and device of ``like``."""
        width, height = self.node.output.width, self.node.output.height
        across, down = (-(-size // count) for size, count in zip(self.image, (width, height), strict=True))
        x = torch.arange(width).mul(across)[None, None, :, None]
        y = torch.arange(height).mul(down)[None, :, None, None]
        boxes = torch.tensor(self.cell.boxes, dtype=torch.float64)[:, None, None]
        shift = torch.cat([x.expand(1, height, width, 1), y.expand(1, height, width, 1)], -1)
        placed = torch.cat([boxes[..., :2] + shift, boxes[..., 2:].expand(-1, height, width, -1)], -1)
        return placed.to(like)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (batch, anchors, height, width) and offsets (batch, anchors, height, width, 4) of the input."""
        kinds = self.cell.scores_cls + 1
        scores, offsets = x.split([kinds * self.count, COORDINATES * self.count], 1)
        if self.cell.input_format == "CA":
            scores, offsets = scores.unflatten(1, (kinds, -1)), offsets.unflatten(1, (COORDINATES, -1))
        else:
            scores = scores.unflatten(1, (-1, kinds)).transpose(1, 2)
            offsets = offsets.unflatten(1, (-1, COORDINATES)).transpose(1, 2)
        return scores[:, self.cell.scores_cls], offsets.movedim(1, -1)

    def before(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs)
        scores, offsets = self.split(x)
        boxes = clipped(moved(self.anchors(x), offsets.detach()), *self.image)
        found = torch.zeros_like(scores)
        if not self.training:
            return self._blocks(scores, self._turned(boxes), found)
        if self.truth is None:
            raise without_truth(self)
        for number, regions in enumerate(self._regions(x)):
            if len(regions):
                found[number] = overlaps(boxes[number].reshape(-1, 4), regions[:, :4]).amax(1).view_as(found[number])
        self.own_loss = self.loss(scores, offsets)
        return self._blocks(scores.detach(), self._turned(boxes), found.detach())

    def _turned(self, boxes: Tensor) -> Tensor:
        """Boxes (.., 4) of the inputs as boxes of the stimuli, and the reverse: mirrored with Flip."""
        return mirrored(boxes, self.image[0]) if self.cell.flip else boxes

    def _blocks(self, scores: Tensor, boxes: Tensor, found: Tensor) -> Tensor:
        return torch.cat([scores[:, None], boxes.movedim(-1, 1), found[:, None]], 1).flatten(1, 2)

    # ------------------------------------------------------------------------------------------ learning

    def _regions(self, like: Tensor) -> list[Tensor]:
        """The regions of each stimulus that count, as they lie in the inputs, (regions, 5)."""
        assert self.truth is not None
        classes = self.cell.classes
        kept = []
        for regions in self.truth:
            labels = regions[:, 4]
            counts = (labels >= 0) & (regions[:, 2:4] > 0).all(1)
            if classes > 1:
                counts &= labels < classes
            chosen = regions[counts][: self.cell.most_labels].to(like)
            kept.append(torch.cat([self._turned(chosen[:, :4]), chosen[:, 4:]], 1))
        return kept

    def loss(self, scores: Tensor, offsets: Tensor) -> Tensor:
        """What is learned of the scores and offsets of :meth:`split`, summed over the batch; see the cell."""
        if self.cell.detector == "YOLO":
            raise LearningError(
                f"Anchor cell {self.node.name} cannot learn with DetectorType=YOLO: there is no loss for it",
                place=self.cell.place("detector"),
                expected="DetectorType=SSD or LapNet for learning; inference works with all",
            )
        anchors = self.anchors(scores).flatten(0, 2)
        total = scores.new_zeros(())
        for regions, own, moves in zip(self._regions(scores), scores, offsets, strict=True):
            total = total + self._loss(anchors, regions, own.flatten(), moves.flatten(0, 2))
        return total

    def assigned(self, anchors: Tensor, regions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which of the anchors (n, 4) are positive and which negative (bool), and the region of each (its index)."""
        if not len(regions):
            nobody = torch.zeros(len(anchors), dtype=torch.bool, device=anchors.device)
            return nobody, ~nobody, nobody.long()
        shared = overlaps(anchors, regions[:, :4])
        if self.cell.classes > 1:
            shared = torch.where(self._classes(anchors)[:, None] == regions[:, 4], shared, 0.0)
        most, nearest = shared.max(1)
        positive = most >= self.cell.positive_iou
        best = shared.amax(0)
        for region in range(len(regions)):
            champions = (shared[:, region] == best[region]) & (best[region] > 0)
            nearest = torch.where(champions & ~positive, region, nearest)
            positive = positive | champions
        return positive, (most < self.cell.negative_iou) & ~positive, nearest

    def _classes(self, anchors: Tensor) -> Tensor:
        """The class of each anchor at each position."""
        number = torch.arange(self.count, device=anchors.device)
        by_class = number // (self.count // self.cell.classes)
        own = by_class if self.cell.input_format == "CA" else number % self.cell.classes
        return own.repeat_interleave(len(anchors) // self.count)

    def _loss(self, anchors: Tensor, regions: Tensor, scores: Tensor, offsets: Tensor) -> Tensor:
        """The loss of one stimulus; there is an anchor for each score and each row of offsets."""
        cell = self.cell
        positive, negative, nearest = self.assigned(anchors, regions)
        yes, no = positive.nonzero()[:, 0], negative.nonzero()[:, 0]
        if cell.detector == "SSD":
            yes, no = drawn(yes, cell.positive_sample), drawn(no, cell.negative_sample)
            decisions, places = len(yes) + len(no), len(anchors) // self.count
        else:
            hardest = scores.detach()[no].sort(descending=True, stable=True).indices
            no = no[hardest[: int(cell.negative_ratio * len(yes))]]
            decisions = places = max(len(yes), 1)
        errors = (scores[yes] - 1).square().sum() + scores[no].square().sum()
        loss = 0.5 * errors / max(decisions, 1)
        # Without a positive anchor this is 0, and the offsets get a gradient of zeros in every process all the same.
        wanted = offsets_to(anchors[yes], regions[nearest[yes], :4])
        return loss + cell.loss_lambda * functional.smooth_l1_loss(offsets[yes], wanted, reduction="sum") / places


def drawn(indices: Tensor, most: int, generator: torch.Generator | None = None) -> Tensor:
    """At most ``most`` of the indices, each as likely as the others, from a generator on the CPU (torch's own)."""
    if len(indices) <= most:
        return indices
    return indices[torch.randperm(len(indices), generator=generator)[:most].to(indices.device)]
