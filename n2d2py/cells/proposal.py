"""Proposal: the proposed regions, moved and stretched as the last cells of a detector say, with their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.anchor import COORDINATES
from n2d2py.cells.base import BoxRows, Dims
from n2d2py.cells.parted import PartedCell
from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, list_of, positive, real, real_between, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Proposal")
@dataclass(frozen=True, kw_only=True)
class Proposal(PartedCell):
    """Boxes (x, y, width, height[, class][, parts][, templates]) of the inputs boxes, offsets and scores.

    ``Input=rp,offsets,scores``: 4 channels, 4 for each class (or 4 for all), and one for each class. The offsets t
    of a class count as t * StdFactor + MeansFactor; then the box is x + tx w, y + ty h, w exp(tw), h exp(th).
    Classes below ScoreIndex (a background) are left out.

    Without ApplyNMS each proposal gives one box, that of its best class. With it, each of its classes gives one (only
    the best one if KeepMaxCls); of these the NbProposals of the highest scores stay, of which none overlaps a better
    one of its class by more than NMS_IoU_Threshold. Boxes of a score below Score_Threshold are dropped. Zeros fill up.

    NumParts and NumTemplates have a number for each class. ``Input=rp,offsets,scores,parts,templates``, each of the two
    if some class has any: three channels for each part of each class, then three for each template, class by class. A
    part (px, py, visibility) lies at x + px w, y + py h of the box of the input, as offsets are relative to it; its
    visibility and the three numbers of a template are handed on. A row has the parts of its class and zeros up to the
    most that a class has, 3 channels each, then its templates in the same way.
    """

    changes_rows: ClassVar[bool] = True
    part: ClassVar[int] = 3

    nb_outputs: int = parameter("NbOutputs", unsigned, 0, "channels of the output; 0: as many as there are")
    nb_proposals: int = parameter("NbProposals", positive, REQUIRED, "boxes of each stimulus, as its first input has")
    score_index: int = parameter("ScoreIndex", unsigned, 0, "the first class that counts")
    iou_index: int = parameter("IoUIndex", unsigned, 5, "block of the overlaps, which nothing is made of")
    apply_nms: bool = parameter("ApplyNMS", boolean, False, "1: boxes that overlap better ones are dropped")
    with_class: bool = parameter("WithCls", boolean, False, "1: the class is a fifth channel")
    means: tuple[float, ...] = parameter("MeansFactor", list_of(real, 4), (0.0,) * 4, "added to the offsets")
    factors: tuple[float, ...] = parameter("StdFactor", list_of(real, 4), (1.0,) * 4, "factors of the offsets")
    nms_iou: float = parameter(
        "NMS_IoU_Threshold", real_between(0, 1), 0.3, "overlap with a better box above which a box is dropped"
    )
    score_threshold: float = parameter("Score_Threshold", real, 0.0, "score below which a box is dropped")
    keep_max_class: bool = parameter("KeepMaxCls", boolean, False, "1: a proposal has its best class alone")

    def __post_init__(self) -> None:
        if self.nb_outputs == 0:
            object.__setattr__(self, "nb_outputs", self.channels)

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return COORDINATES + self.with_class + self.carried_channels

    def found_in(self, inputs: Sequence[Dims]) -> BoxRows:
        classes = inputs[2].size
        if not self.with_class or classes == 1:
            return BoxRows(self.nb_proposals, means=self.means, factors=self.factors)
        return BoxRows(self.nb_proposals, classes, None, COORDINATES, True, self.means, self.factors)

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        given = ", ".join(map(str, inputs))
        fits = len(inputs) == 3 + len(self.carried) and all(dims.size == dims.channels for dims in inputs)
        if not fits or inputs[0].size != COORDINATES or inputs[1].size not in (COORDINATES, 4 * inputs[2].size):
            raise GraphError(
                f"Proposal cell {self.name} has inputs of {given}",
                place=self.place(),
                expected="boxes (1 1 4), offsets (1 1 4, or 4 for each class) and scores (one for each class)"
                + "".join(f", {name} (1 1 {number})" for name, number in self.carried.items()),
            )
        self.check_counts(inputs[2].size)
        for (name, number), dims in zip(self.carried.items(), inputs[3:], strict=True):
            if dims.size != number:
                raise GraphError(
                    f"the {name} of Proposal cell {self.name} are {dims}",
                    place=self.place(name),
                    expected=f"1 1 {number}: three numbers for each of them, class by class",
                )
        if self.score_index >= inputs[2].size:
            raise GraphError(
                f"Proposal cell {self.name} has {inputs[2].size} classes, the first that counts is {self.score_index}",
                place=self.place("score_index"),
                expected=f"ScoreIndex below {inputs[2].size}",
            )
        self.check_outputs(self.channels)
        return Dims(1, 1, self.channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.nb_proposals} proposals" + (", NMS" if self.apply_nms else ""))
        return lines
