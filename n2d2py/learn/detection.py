"""Targets of boxes at work: what is learned of proposed regions, and how many regions a detector finds.

Labelled regions come with the batch (:attr:`Batch.regions`). The rows of an output of boxes are those of the first
stimulus, then those of the second, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.base import BoxRows
from n2d2py.errors import LearningError
from n2d2py.layers.anchors import offsets_to, overlaps
from n2d2py.learn import losses, matching, regions
from n2d2py.learn.regions import Regions
from n2d2py.learn.targets import IGNORED, Comparison, Judged
from n2d2py.parts.targets import Target, TargetBBox, TargetRP

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.graph.network import Network, Node

COORDINATES = 4
OVERLAP = 0.5
"""From which a box of TargetBBox counts as that of a region."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxComparison(Comparison):
    """A target that needs ``regions``; boxes are the ``rows`` of the output of the cell ``proposals``."""

    regions: Regions
    rows: BoxRows
    proposals: str

    @property
    def needs_values(self) -> bool:
        return True

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.regions.names

    @property
    def cells(self) -> list[str]:
        return list(dict.fromkeys((self.target.cell, self.proposals)))

    def check_set(self, stimuli: Stimuli, name: str) -> None:
        self.regions.check(stimuli, name)

    def loss(self, form: str, outputs: Mapping[str, Tensor], wanted: Tensor) -> Tensor:
        """What is learned, a scalar; ``wanted`` are those of :meth:`wanted`, ``form`` is the cell's loss form."""
        raise NotImplementedError

    def belonging(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """For each proposal the region that it belongs to, (proposals, 5), of class -1 if it belongs to none."""
        assert isinstance(self.target, TargetRP)
        boxes = outputs[self.proposals].detach().flatten(1)[:, :COORDINATES]
        found = boxes.new_zeros(len(boxes), 5)
        found[:, 4] = IGNORED
        count, regions_there = self.rows.rows, self.regions.of(batch.regions)
        for own, into, there in zip(boxes.split(count), found.split(count), regions_there, strict=True):
            if len(there):
                there = there.to(boxes)
                most, nearest = overlaps(own, there[:, :COORDINATES]).max(1)
                belongs = (most >= self.target.min_overlap) & real(own)
                into[belongs] = there[nearest[belongs]]
        return found


def real(boxes: Tensor) -> Tensor:
    """Whether each box has a size above 0, and does not only fill up; bool (boxes)."""
    return (boxes[:, 2:COORDINATES] > 0).all(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class ProposalClasses(BoxComparison):
    """TargetRP of TargetType=Cls: each proposal has the class of the region that it belongs to."""

    background: int = 0

    def wanted(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The class of each proposal, int64 (proposals); -1 for what only fills up."""
        classes = self.belonging(outputs, batch)[:, 4].long()
        classes = torch.where(classes < 0, self.background, classes)
        return torch.where(real(outputs[self.proposals].flatten(1)), classes, IGNORED)

    def loss(self, form: str, outputs: Mapping[str, Tensor], wanted: Tensor) -> Tensor:
        """That of a stimulus for each proposal, divided by their number."""
        return losses.error(form, self.target, outputs[self.target.cell], wanted) / self.rows.rows


@dataclass(frozen=True, eq=False, kw_only=True)
class ProposalOffsets(BoxComparison):
    """TargetRP of TargetType=BBox: the offsets from each proposal to the region that it belongs to."""

    means: tuple[float, ...] = (0.0,) * COORDINATES
    factors: tuple[float, ...] = (1.0,) * COORDINATES

    def wanted(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """(proposals, 5): the offsets that are wanted, and their class, -1 where nothing is learned."""
        belonging = self.belonging(outputs, batch)
        learned = belonging[:, 4] >= 0
        boxes = outputs[self.proposals].detach().flatten(1)[learned, :COORDINATES]
        offsets = offsets_to(boxes, belonging[learned, :COORDINATES])
        belonging[learned, :COORDINATES] = (offsets - offsets.new_tensor(self.means)) / offsets.new_tensor(self.factors)
        return belonging

    def loss(self, form: str, outputs: Mapping[str, Tensor], wanted: Tensor) -> Tensor:
        """LossLambda times the smooth L1 errors of the class's offsets, divided by the number of proposals."""
        assert isinstance(self.target, TargetRP)
        given = outputs[self.target.cell].flatten(1).unflatten(1, (-1, COORDINATES))
        learned = (wanted[:, 4] >= 0).nonzero()[:, 0]
        group = wanted[learned, 4].long() if given.shape[1] > 1 else torch.zeros_like(learned)
        error = functional.smooth_l1_loss(given[learned, group], wanted[learned, :COORDINATES], reduction="sum")
        return self.target.loss_lambda * error / self.rows.rows


@dataclass(frozen=True, eq=False, kw_only=True)
class DetectedBoxes(BoxComparison):
    """TargetBBox: boxes against the labelled regions."""

    @property
    def classes(self) -> int:
        return self.rows.classes

    @property
    def has_none(self) -> bool:
        return True

    @property
    def counts_unlabelled(self) -> bool:
        return True

    def wanted(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The regions of the batch, (regions, 6): stimulus, x, y, width, height, class."""
        return stacked(self.regions.of(batch.regions))

    def judge(self, outputs: Mapping[str, Tensor], labels: Tensor, data: Tensor) -> Judged:
        rows = self.rows
        boxes = outputs[self.target.cell].flatten(1).float().cpu().split(rows.rows)
        return matching.judged(unstacked(labels, len(boxes)), [self._found(one) for one in boxes], OVERLAP)

    def _found(self, boxes: Tensor) -> Tensor:
        """The boxes of a stimulus that are some, the best first, as :func:`matching.judged` takes them."""
        rows = self.rows
        boxes = boxes[real(boxes)]
        scores = boxes[:, rows.score] if rows.score is not None else torch.full_like(boxes[:, 0], float("nan"))
        classes = boxes[:, rows.label] if rows.label is not None else torch.zeros_like(boxes[:, 0])
        found = torch.cat([boxes[:, :COORDINATES], classes[:, None], scores[:, None]], 1)
        if rows.background:
            found = found[found[:, 4] > 0]
        return found if rows.score is None else found[scores.sort(descending=True, stable=True).indices]


def stacked(parts: list[Tensor]) -> Tensor:
    """Rows of several stimuli with the number of the stimulus before them."""
    return torch.cat([torch.cat([part.new_full((len(part), 1), number), part], 1) for number, part in enumerate(parts)])


def unstacked(table: Tensor, count: int) -> list[Tensor]:
    """The rows of each of ``count`` stimuli, of what :func:`stacked` gave."""
    table = table.cpu()
    return [table[table[:, 0] == number, 1:] for number in range(count)]


def comparison(target: Target, graph: Network, stimuli: Stimuli) -> Comparison:
    """A target of boxes at work; raises :class:`LearningError` if its cell does not suit it."""
    if target.distill:
        raise LearningError(
            f"target {target.name} has Distill: what is proposed differs from network to network",
            place=target.place("distill"),
            remedy="remove Distill",
        )
    node = graph[target.cell]
    if isinstance(target, TargetBBox):
        rows = node.cell.found_in(node.inputs)
        if rows is None:
            raise _unfit(target, node, "boxes, which an ObjectDet, a Proposal or an RP cell gives")
        return DetectedBoxes(
            target=target,
            outputs=node.output.channels,
            regions=regions.of_boxes(target, graph, stimuli, rows),
            rows=rows,
            proposals=target.cell,
        )
    assert isinstance(target, TargetRP)
    return _of_proposals(target, node, graph, stimuli)


def _of_proposals(target: TargetRP, node: Node, graph: Network, stimuli: Stimuli) -> BoxComparison:
    if target.proposals not in regions.before(graph, node.name) or node.cell.changes_rows:
        raise _unfit(target, node, "a cell behind the RP cell that RP= names, with an output for each of its boxes")
    proposing = graph[target.proposals]
    rows = proposing.cell.found_in(proposing.inputs)
    if rows is None:
        raise _unfit(target, node, f"boxes, which {proposing.name} does not give")
    classes = node.output.size
    told = max(classes, 2)
    if target.target_type == "BBox":
        if classes % COORDINATES:
            raise _unfit(target, node, "4 outputs, or 4 for each class")
        told = classes // COORDINATES
    found, background = regions.of_proposals(target, graph, stimuli, told)
    if target.target_type == "BBox":
        if told == 1:
            found = replace(found, lookup=np.where(found.lookup >= 0, 0, IGNORED), names=("object",))
        behind = [child.cell.found_in(child.inputs) for child in graph.children(node.name)]
        scaled = next((one for one in behind if one is not None), rows)
        return ProposalOffsets(
            target=target, outputs=classes, regions=found, rows=rows, proposals=proposing.name,
            means=scaled.means, factors=scaled.factors,
        )  # fmt: skip
    return ProposalClasses(
        target=target, outputs=classes, regions=found, rows=rows, proposals=proposing.name, background=background
    )


def _unfit(target: Target, node: Node, wanted: str) -> LearningError:
    return LearningError(
        f"target {target.name} can be neither learned nor tested: {node.cell.type_name} cell {node.name} does not suit "
        "it",
        place=target.place(),
        expected=wanted,
    )
