"""Anchor: boxes from the scores and offsets that a network gives for each anchor at each position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py import console
from n2d2py.cells.anchors import AnchoredCell
from n2d2py.cells.base import Dims, concatenated
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError, ParameterError
from n2d2py.kinds import boolean, one_of, positive, real_between, text, unsigned, unsigned_real
from n2d2py.parameters import parameter
from n2d2py.registry import register

DETECTORS = ("LapNet", "SSD", "YOLO")
COORDINATES = 4
BLOCKS = 6
"""Score, x, y, width, height, and the overlap with what is really there."""


@register("cell", "Anchor")
@dataclass(frozen=True, kw_only=True)
class Anchor(AnchoredCell):
    """Boxes of anchors that the inputs move and stretch (Ren et al. 2015, arXiv:1506.01497).

    Six channels an anchor, block by block: score, x, y, width, height of the box, and IoU with a labelled region.

    The inputs, concatenated, are ScoresCls + 1 scores an anchor, of which the last one counts, then the offsets tx,
    ty, tw, th. With the anchor (x, y, w, h) at its position the box is x + tx w, y + ty h, w exp(tw), h exp(th), cut
    at the borders of the image (equation 2 of the paper, for corners). Positions are a stride apart, the ratio of
    the image's size to that of the input, rounded up. IoU is 0 where no regions are known.

    Flip=1: the inputs were made of the stimuli with left and right exchanged. Boxes are those of the stimuli all the
    same: a box (x, y, w, h) that is found in the inputs comes out at W - x - w, W being the width of the image, and
    labelled regions are mirrored before anything is learned from them.

    What is learned: of an anchor that overlaps a region by PositiveIoU, or the most of all, the score 1 and the
    offsets to that region; of one that overlaps none by NegativeIoU the score 0.

    * SSD: LossPositiveSample and LossNegativeSample drawn anchors; half the squared errors of the scores over the
      number drawn, and LossLambda times the smooth L1 error of the offsets over the number of positions.
    * LapNet: all positive anchors and NegativeRatio times as many negative ones, those of the highest scores; both
      errors over the number of positive anchors.
    """

    learns_alone: ClassVar[bool] = True
    own_meanings: ClassVar[tuple[str, ...]] = ("flip",)

    detector: str = parameter("DetectorType", one_of(*DETECTORS), "", "the detector whose loss is learned from")
    input_format: str = parameter(
        "InputFormat", one_of("CA", "AC"), "CA", "order of the channels: all anchors of a value (CA), or the reverse"
    )
    scores_cls: int = parameter("ScoresCls", unsigned, 0, "which score of an anchor counts; those before it do not")
    label_mapping: str = parameter(
        "LabelMapping", text, "", "file that maps labels to classes, as LabelsMapping of targets"
    )
    positive_iou: float = parameter("PositiveIoU", real_between(0, 1), 0.7, "overlap from which an anchor is positive")
    negative_iou: float = parameter("NegativeIoU", real_between(0, 1), 0.3, "overlap below which it is negative")
    loss_lambda: float = parameter("LossLambda", unsigned_real, 10.0, "weight of the error of boxes")
    positive_sample: int = parameter("LossPositiveSample", unsigned, 128, "positive anchors drawn of a stimulus (SSD)")
    negative_sample: int = parameter("LossNegativeSample", unsigned, 128, "negative anchors drawn of a stimulus (SSD)")
    map_width: int = parameter("FeatureMapWidth", unsigned, 0, "width of the image; 0: that of the stimuli")
    map_height: int = parameter("FeatureMapHeight", unsigned, 0, "height of the image; 0: that of the stimuli")
    flip: bool = parameter(
        "Flip", boolean, False, "1: the inputs are those of mirrored stimuli: boxes are mirrored back"
    )
    negative_ratio: float = parameter(
        "NegativeRatio", unsigned_real, 3.0, "negative anchors learned for each positive one (LapNet)"
    )
    most_labels: int = parameter("MaxLabelPerFrame", positive, 1000, "regions of a stimulus that count at most")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.detector:
            console.warning(f"Anchor cell {self.name} without DetectorType: SSD is taken, at: {self.place()}")
            object.__setattr__(self, "detector", "SSD")
        if not self.boxes:
            raise ParameterError(
                f"Anchor cell {self.name} has no anchor",
                place=self.place(),
                expected="Anchor[0]=root area and ratio, AnchorBBOX[0], AnchorXY[0], AnchorJSON, or Ratios",
            )
        if len(self.boxes) % self.classes:
            raise ParameterError(
                f"{len(self.boxes)} anchors cannot be shared out to {self.classes} classes",
                place=self.place("nb_class"),
                expected="as many anchors for each class",
            )
        if self.negative_iou > self.positive_iou:
            raise ParameterError(
                f"NegativeIoU={self.negative_iou:g} is above PositiveIoU={self.positive_iou:g}",
                place=self.places.get("negative_iou") or self.place("positive_iou"),
            )
        if self.nb_outputs == 0:
            object.__setattr__(self, "nb_outputs", BLOCKS * len(self.boxes))

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        check_flat(self, dims)
        wanted = (self.scores_cls + 1 + COORDINATES) * len(self.boxes)
        if dims.channels != wanted:
            raise GraphError(
                f"Anchor cell {self.name} has {len(self.boxes)} anchors and {dims.channels} channels of input",
                place=self.place(),
                expected=f"{wanted} channels: {self.scores_cls + 1} of scores and 4 of offsets for each anchor",
            )
        self.check_outputs(BLOCKS * len(self.boxes))
        return Dims(dims.width, dims.height, self.nb_outputs)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.detector}, {len(self.boxes)} anchors" + (", mirrored" if self.flip else ""))
        return lines
