"""ObjectDet: the objects of each class that a detector without proposals has found."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.anchor import BLOCKS
from n2d2py.cells.objectdet import ObjectDet
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, filled, suppress
from n2d2py.registry import register

_XY = {"XY": [0, 1, 2, 3, 4], "YX": [0, 2, 1, 4, 3]}
"""The blocks of score, x, y, width and height."""


@register("layer", "ObjectDet")
class ObjectDetLayer(BoxLayer):
    """(batch * classes * NbProposals, 6, 1, 1) of an Anchor's output (batch, 6 * anchors, height, width)."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, ObjectDet)
        self.cell = node.cell

    @torch.no_grad()
    def before(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        cell = self.cell
        shape = (cell.nb_class, cell.nb_anchors) if cell.input_format == "CA" else (cell.nb_anchors, cell.nb_class)
        blocks = x.unflatten(1, (BLOCKS, *shape))
        if cell.input_format == "AC":
            blocks = blocks.transpose(2, 3)
        # (batch, classes, candidates, 5)
        rows = blocks[:, _XY[cell.pixel_format]].flatten(3).movedim(1, -1)
        found = [self.chosen(mine, index) for stimulus in rows for index, mine in enumerate(stimulus)]
        return torch.cat(found)[:, :, None, None]

    def chosen(self, rows: Tensor, index: int) -> Tensor:
        """(NbProposals, 6) of the candidates (n, 5: score, x, y, width, height) of one class of a stimulus."""
        thresholds = self.cell.score_thresholds
        least = thresholds[index if len(thresholds) > 1 else 0]
        rows = rows[(rows[:, 0] >= least) & (rows[:, 3:] > 0).all(1)]
        rows = rows[suppress(rows[:, 1:], rows[:, 0], self.cell.nms_iou, self.cell.nb_proposals)]
        known = torch.cat([rows[:, 1:], rows[:, :1], torch.full_like(rows[:, :1], index)], 1)
        return filled(known, self.cell.nb_proposals)
