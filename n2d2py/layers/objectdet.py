"""ObjectDet: the objects of each class that a detector without proposals has found."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py.cells.anchor import BLOCKS
from n2d2py.cells.objectdet import ObjectDet
from n2d2py.cells.parted import TEMPLATE, most
from n2d2py.graph.network import Node
from n2d2py.layers.anchors import BoxLayer, filled, suppress
from n2d2py.layers.parted import by_class, located
from n2d2py.registry import register

_XY = {"XY": [0, 1, 2, 3, 4], "YX": [0, 2, 1, 4, 3]}
"""The blocks of score, x, y, width and height."""


@register("layer", "ObjectDet")
class ObjectDetLayer(BoxLayer):
    """(batch * classes * NbProposals, channels, 1, 1) of an Anchor's output (batch, 6 * anchors, height, width).

    Parts and templates are (batch, numbers * anchors of a class, height, width).
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, ObjectDet)
        self.cell = node.cell

    @torch.no_grad()
    def before(self, *inputs: Tensor) -> Tensor:
        x, *carried = inputs
        cell = self.cell
        shape = (cell.nb_class, cell.nb_anchors) if cell.input_format == "CA" else (cell.nb_anchors, cell.nb_class)
        blocks = x.unflatten(1, (BLOCKS, *shape))
        if cell.input_format == "AC":
            blocks = blocks.transpose(2, 3)
        # (batch, classes, candidates, 5), and behind them what each candidate carries.
        rows = blocks[:, _XY[cell.pixel_format]].flatten(3).movedim(1, -1)
        rows = torch.cat([rows, *map(self.carried, cell.carried, carried)], -1)
        found = [self.chosen(mine, index) for stimulus in rows for index, mine in enumerate(stimulus)]
        return torch.cat(found)[:, :, None, None]

    def carried(self, name: str, values: Tensor) -> Tensor:
        """(batch, classes, candidates, numbers) of an input behind the first; of parts px, py."""
        cell = self.cell
        counts, each = (cell.parts, cell.part) if name == "parts" else (cell.templates, TEMPLATE)
        if cell.input_format == "CA":
            values = values.unflatten(1, (sum(counts), each, cell.nb_anchors))
        else:
            values = values.unflatten(1, (cell.nb_anchors, sum(counts), each)).movedim(1, 3)
        if name == "parts" and cell.pixel_format == "YX":
            values = values.flip(2)
        return by_class(values, counts).flatten(4).movedim(-1, 2).flatten(3)

    def chosen(self, rows: Tensor, index: int) -> Tensor:
        """(NbProposals, 6 or more) of the candidates (n, 5 or more) of one class of a stimulus.

        Those have score, x, y, width, height, and what they carry.
        """
        thresholds = self.cell.score_thresholds
        least = thresholds[index if len(thresholds) > 1 else 0]
        rows = rows[(rows[:, 0] >= least) & (rows[:, 3:5] > 0).all(1)]
        rows = rows[suppress(rows[:, 1:5], rows[:, 0], self.cell.nms_iou, self.cell.nb_proposals)]
        boxes, rest = rows[:, 1:5], rows[:, 5:]
        if "parts" in self.cell.carried:
            size = self.cell.part * most(self.cell.parts)
            count = torch.tensor(self.cell.parts[index], device=rows.device)
            parts = located(boxes, rest[:, :size].unflatten(1, (-1, self.cell.part)), count).flatten(1)
            rest = torch.cat([parts, rest[:, size:]], 1)
        known = torch.cat([boxes, rows[:, :1], torch.full_like(rows[:, :1], index), rest], 1)
        return filled(known, self.cell.nb_proposals)
