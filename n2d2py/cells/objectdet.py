"""ObjectDet: the objects of each class that a detector without proposals has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.anchor import BLOCKS, COORDINATES
from n2d2py.cells.anchors import AnchoredCell
from n2d2py.cells.base import BoxRows, Dims, alone
from n2d2py.cells.parted import PartedCell
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError, ParameterError
from n2d2py.kinds import list_of, one_of, positive, real, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "ObjectDet")
@dataclass(frozen=True, kw_only=True)
class ObjectDet(AnchoredCell, PartedCell):
    """NbProposals rows (x, y, width, height, score, class[, parts][, templates]) for each class of each stimulus.

    The input is that of an Anchor cell with NbAnchors anchors for each class: six blocks (score, x, y, width, height,
    IoU), in each the anchors class by class (InputFormat=CA) or the classes anchor by anchor (AC). With
    PixelFormat=YX the coordinates come as y, x, height, width. Of the boxes of a class whose score is at least its
    Score_Threshold those of the highest scores stay, of which none overlaps a better one by more than NMS_Threshold;
    zeros fill up. Rows are ordered by stimulus, class and score. No gradient comes back.

    NumParts and NumTemplates have a number for each class. ``Input=anchor,parts,templates``, each of the two if some
    class has any, of the size of the first: for each class and each of its parts px and then py, of each a channel for
    each of the NbAnchors anchors (CA); or for each of the NbAnchors anchors all of that, class by class (AC). With
    PixelFormat=YX py comes before px. Templates come in the same order, three numbers each. A part lies at x + px w,
    y + py h of the box that is found; the numbers of a template are handed on. A row has the parts (x, y) of its class
    and zeros up to the most that a class has, then its templates in the same way.
    """

    changes_rows: ClassVar[bool] = True
    part: ClassVar[int] = 2

    nb_anchors: int = parameter("NbAnchors", positive, REQUIRED, "anchors of each class")
    nb_class: int = parameter("NbClass", positive, REQUIRED, "how many classes of boxes")
    nb_proposals: int = parameter("NbProposals", positive, REQUIRED, "boxes of each class")
    input_format: str = parameter(
        "InputFormat", one_of("CA", "AC"), "CA", "order in a block: the anchors of each class (CA), or the reverse"
    )
    pixel_format: str = parameter("PixelFormat", one_of("XY", "YX"), "XY", "order of the coordinates of the input")
    nms_iou: float = parameter(
        "NMS_Threshold", real_between(0, 1), 0.5, "overlap with a better box above which a box is dropped"
    )
    score_thresholds: tuple[float, ...] = parameter(
        "Score_Threshold", list_of(real), (0.0,), "least score of each class, or one for all"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_counts(self.nb_class)
        if len(self.score_thresholds) not in (1, self.nb_class):
            raise ParameterError(
                f"Score_Threshold has {len(self.score_thresholds)} values",
                place=self.place("score_thresholds"),
                expected=f"one, or one for each of {self.nb_class} classes",
            )
        if self.boxes and len(self.boxes) not in (self.nb_anchors, self.nb_anchors * self.nb_class):
            raise ParameterError(
                f"ObjectDet cell {self.name} has NbAnchors={self.nb_anchors} and {len(self.boxes)} anchors",
                place=self.place("shapes"),
                expected="those of the Anchor cell before it, or none: the boxes come from there",
            )
        if self.nb_outputs == 0:
            object.__setattr__(self, "nb_outputs", self.channels)

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return BLOCKS + self.carried_channels

    def found_in(self, inputs: Sequence[Dims]) -> BoxRows:
        return BoxRows(self.nb_proposals * self.nb_class, self.nb_class, score=COORDINATES, label=COORDINATES + 1)

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = inputs[0] if self.carried else alone(self, inputs)
        check_flat(self, dims)
        wanted = BLOCKS * self.nb_anchors * self.nb_class
        if dims.channels != wanted:
            raise GraphError(
                f"ObjectDet cell {self.name} has {self.nb_anchors} anchors of {self.nb_class} classes and "
                f"{dims.channels} channels of input",
                place=self.place("nb_anchors"),
                expected=f"{wanted} channels, as an Anchor cell with {self.nb_anchors * self.nb_class} anchors gives",
            )
        if self.carried:
            self._check_carried(inputs)
        self.check_outputs(self.channels)
        return Dims(1, 1, self.channels)

    def _check_carried(self, inputs: Sequence[Dims]) -> None:
        """Raise :class:`GraphError` unless the inputs behind the first are its parts and templates."""
        wanted = [inputs[0]._replace(channels=number * self.nb_anchors) for number in self.carried.values()]
        if list(inputs[1:]) != wanted:
            given = ", ".join(map(str, inputs))
            raise GraphError(
                f"ObjectDet cell {self.name} has inputs of {given}",
                place=self.place(next(iter(self.carried))),
                expected="the output of an Anchor cell"
                + "".join(f", {name} ({dims})" for name, dims in zip(self.carried, wanted, strict=True)),
            )

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.nb_class} classes, {self.nb_proposals} boxes each")
        return lines
