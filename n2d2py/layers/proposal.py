"""Proposal: the proposed regions, moved and stretched as the last cells of a detector say, with their class."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.anchor import COORDINATES
from n2d2py.cells.parted import TEMPLATE
from n2d2py.cells.proposal import Proposal
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, filled, moved, suppress
from n2d2py.layers.parted import by_class, located
from n2d2py.registry import register


@register("layer", "Proposal")
class ProposalLayer(BoxLayer):
    """(batch * NbProposals, channels, 1, 1) of boxes, offsets, scores, parts and templates with as many rows."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Proposal)
        self.cell = node.cell

    @torch.no_grad()
    def before(self, *inputs: Tensor) -> Tensor:
        boxes, offsets, scores, *carried = (x.flatten(1) for x in inputs)
        # (rows, classes, 4): one group of four serves all classes.
        moves = offsets.unflatten(1, (-1, COORDINATES)).expand(-1, scores.shape[1], -1)
        moves = moves * moves.new_tensor(self.cell.factors) + moves.new_tensor(self.cell.means)
        refined = torch.cat([moved(boxes[:, None], moves), *self.carried(boxes, carried)], -1)
        count = self.cell.nb_proposals
        stimuli = zip(refined.split(count), scores.split(count), strict=True)
        rows = [self.chosen(places, values) for places, values in stimuli]
        found = torch.cat(rows)
        if not self.cell.with_class:
            found = torch.cat([found[:, :COORDINATES], found[:, COORDINATES + 1 :]], 1)
        return found[:, :, None, None]

    def carried(self, boxes: Tensor, given: list[Tensor]) -> list[Tensor]:
        """What boxes (rows, 4) carry for each class, (rows, classes, 3 * most) each: parts, then templates."""
        cell, values = self.cell, dict(zip(self.cell.carried, given, strict=True))
        found = []
        if "parts" in values:
            parts = by_class(values["parts"].unflatten(1, (-1, cell.part)), cell.parts)
            counts = torch.tensor(cell.parts, device=boxes.device)
            found.append(located(boxes[:, None], parts, counts).flatten(2))
        if "templates" in values:
            found.append(by_class(values["templates"].unflatten(1, (-1, TEMPLATE)), cell.templates).flatten(2))
        return found

    def chosen(self, boxes: Tensor, scores: Tensor) -> Tensor:
        """(NbProposals, 5 or more) of one stimulus: boxes, class, and what they carry.

        ``boxes`` (n, classes, 4 or more) are followed by what they carry, ``scores`` are (n, classes).
        """
        cell = self.cell
        best = scores[:, cell.score_index :].argmax(1) + cell.score_index
        if not cell.apply_nms:
            number = torch.arange(len(best), device=best.device)
            rows = _with_class(boxes[number, best], best[:, None])
            high = scores[number, best] >= cell.score_threshold
            return filled(torch.where(high[:, None], rows, 0.0), cell.nb_proposals)
        kept, values = [], []
        for index in range(cell.score_index, scores.shape[1]):
            candidates = scores[:, index] >= cell.score_threshold
            if cell.keep_max_class:
                candidates &= best == index
            mine, own = boxes[candidates, index], scores[candidates, index]
            order = suppress(mine[:, :COORDINATES], own, cell.nms_iou, cell.nb_proposals)
            kept.append(_with_class(mine[order], torch.full_like(own[order], index)[:, None]))
            values.append(own[order])
        first = torch.cat(values).sort(descending=True, stable=True).indices
        return filled(torch.cat(kept)[first], cell.nb_proposals)


def _with_class(rows: Tensor, classes: Tensor) -> Tensor:
    """The classes (n, 1) behind the coordinates of rows (n, 4 or more)."""
    return torch.cat([rows[:, :COORDINATES], classes.to(rows), rows[:, COORDINATES:]], 1)
