"""Proposal: the proposed regions, moved and stretched as the last cells of a detector say, with their class."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.anchor import COORDINATES
from n2d2py.cells.proposal import Proposal
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, filled, moved, suppress
from n2d2py.registry import register


@register("layer", "Proposal")
class ProposalLayer(BoxLayer):
    """(batch * NbProposals, 4 or 5, 1, 1) of boxes, offsets and scores with as many rows."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Proposal)
        self.cell = node.cell

    @torch.no_grad()
    def before(self, *inputs: Tensor) -> Tensor:
        boxes, offsets, scores = (x.flatten(1) for x in inputs)
        # (rows, classes, 4): one group of four serves all classes.
        moves = offsets.unflatten(1, (-1, COORDINATES)).expand(-1, scores.shape[1], -1)
        moves = moves * moves.new_tensor(self.cell.factors) + moves.new_tensor(self.cell.means)
        refined = moved(boxes[:, None], moves)
        count = self.cell.nb_proposals
        stimuli = zip(refined.split(count), scores.split(count), strict=True)
        rows = [self.chosen(places, values) for places, values in stimuli]
        return torch.cat(rows)[:, : self.cell.channels, None, None]

    def chosen(self, boxes: Tensor, scores: Tensor) -> Tensor:
        """(NbProposals, 5): boxes and class, of the boxes (n, classes, 4) and scores (n, classes) of one stimulus."""
        cell = self.cell
        best = scores[:, cell.score_index :].argmax(1) + cell.score_index
        if not cell.apply_nms:
            number = torch.arange(len(best), device=best.device)
            rows = torch.cat([boxes[number, best], best[:, None].to(boxes)], 1)
            high = scores[number, best] >= cell.score_threshold
            return filled(torch.where(high[:, None], rows, 0.0), cell.nb_proposals)
        kept, values = [], []
        for index in range(cell.score_index, scores.shape[1]):
            candidates = scores[:, index] >= cell.score_threshold
            if cell.keep_max_class:
                candidates &= best == index
            mine, own = boxes[candidates, index], scores[candidates, index]
            order = suppress(mine, own, cell.nms_iou, cell.nb_proposals)
            kept.append(torch.cat([mine[order], torch.full_like(own[order], index)[:, None]], 1))
            values.append(own[order])
        first = torch.cat(values).sort(descending=True, stable=True).indices
        return filled(torch.cat(kept)[first], cell.nb_proposals)
