"""RP: the regions of an image that are worth a closer look."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.anchor import BLOCKS, COORDINATES
from n2d2py.cells.rp import RP
from n2d2py.graph.network import Node
from n2d2py.layers.anchor import drawn
from n2d2py.layers.anchors import BoxLayer, filled, suppress
from n2d2py.registry import register


@register("layer", "RP")
class RPLayer(BoxLayer):
    """Boxes of each stimulus, (batch * NbProposals, 4, 1, 1), those of a stimulus one after the other.

    Learning draws from torch's generator on the CPU.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, RP)
        self.cell = node.cell

    def before(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        with torch.no_grad():
            rows = [self.proposed(blocks) for blocks in x.detach().unflatten(1, (BLOCKS, -1)).flatten(2)]
            return torch.cat(rows)[:, :, None, None]

    def proposed(self, blocks: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The boxes (NbProposals, 4) of one stimulus, of its blocks (6, candidates)."""
        cell = self.cell
        boxes = blocks[cell.score_index + 1 : cell.score_index + 1 + COORDINATES].T
        scores, found = blocks[cell.score_index], blocks[cell.iou_index]
        large = (boxes[:, 2] >= cell.min_width) & (boxes[:, 3] >= cell.min_height) & (boxes[:, 2:] > 0).all(1)
        boxes, scores, found = boxes[large], scores[large], found[large]
        if self.training:
            return filled(boxes[self.picked(scores, found, generator)], cell.nb_proposals)
        if cell.pre_nms:
            first = scores.sort(descending=True, stable=True).indices[: cell.pre_nms]
            boxes, scores = boxes[first], scores[first]
        return filled(boxes[suppress(boxes, scores, cell.nms_iou, cell.nb_proposals)], cell.nb_proposals)

    def picked(self, scores: Tensor, found: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Indices of a random pick: foreground, then background, then, if these are too few, the highest scores.

        ``found`` is how much each box overlaps a labelled region.
        """
        cell = self.cell
        front = found >= cell.foreground_min
        back = (found >= cell.background_min) & (found < cell.background_max) & ~front
        most = round(cell.foreground_rate * cell.nb_proposals)
        first = drawn(front.nonzero()[:, 0], most, generator)
        second = drawn(back.nonzero()[:, 0], cell.nb_proposals - len(first), generator)
        chosen = torch.cat([first, second])
        order = scores.sort(descending=True, stable=True).indices
        rest = order[~torch.isin(order, chosen)]
        return torch.cat([chosen, rest])[: cell.nb_proposals]
