"""RP: the regions of an image that are worth a closer look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.anchor import BLOCKS, COORDINATES
from n2d2py.cells.base import ActivatedCell, BoxRows, Dims, alone
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError, ParameterError
from n2d2py.kinds import positive, real_between, unsigned, unsigned_real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "RP")
@dataclass(frozen=True, kw_only=True)
class RP(ActivatedCell):
    """The boxes (x, y, width, height) of each stimulus that are worth a closer look, of all that an Anchor cell gives.

    In test those of the highest scores, of which none overlaps a better one by more than NMS_IoU_Threshold. While
    learning a random pick: ForegroundRate of them overlap a labelled region by ForegroundMinIoU, the others by
    BackgroundMinIoU up to BackgroundMaxIoU. Boxes of size 0 fill up. The output has NbProposals rows a stimulus, in
    the order of the stimuli, and gives no gradient.
    """

    changes_rows: ClassVar[bool] = True

    nb_outputs: int = parameter("NbOutputs", unsigned, 0, "channels of the output, which are 4")
    nb_anchors: int = parameter("NbAnchors", positive, REQUIRED, "anchors of the Anchor cell")
    nb_proposals: int = parameter("NbProposals", positive, REQUIRED, "boxes of each stimulus")
    score_index: int = parameter("ScoreIndex", unsigned, 0, "block of the scores; the boxes are the next four")
    iou_index: int = parameter("IoUIndex", unsigned, BLOCKS - 1, "block of the overlaps")
    min_width: float = parameter("MinWidth", unsigned_real, 0.0, "width of the smallest box", unit="pixels")
    min_height: float = parameter("MinHeight", unsigned_real, 0.0, "height of the smallest box", unit="pixels")
    nms_iou: float = parameter(
        "NMS_IoU_Threshold", real_between(0, 1), 0.7, "overlap with a better box above which a box is dropped"
    )
    pre_nms: int = parameter("Pre_NMS_TopN", unsigned, 0, "boxes of the highest scores that are looked at; 0: all")
    foreground_rate: float = parameter("ForegroundRate", real_between(0, 1), 0.25, "share of foreground in learning")
    foreground_min: float = parameter("ForegroundMinIoU", real_between(0, 1), 0.5, "least overlap of foreground")
    background_max: float = parameter("BackgroundMaxIoU", real_between(0, 1), 0.5, "overlap below which is background")
    background_min: float = parameter("BackgroundMinIoU", real_between(0, 1), 0.1, "least overlap of background")

    def __post_init__(self) -> None:
        if self.nb_outputs == 0:
            object.__setattr__(self, "nb_outputs", COORDINATES)
        for name, first, last in (
            ("score_index", self.score_index, self.score_index + COORDINATES),
            ("iou_index", self.iou_index, self.iou_index),
        ):
            if last >= BLOCKS:
                raise ParameterError(
                    f"RP cell {self.name} reads block {last} of its input",
                    place=self.place(name),
                    expected=f"blocks 0 to {BLOCKS - 1}: score, x, y, width, height, IoU (this one begins at {first})",
                )

    def found_in(self, inputs: Sequence[Dims]) -> BoxRows:
        return BoxRows(self.nb_proposals)

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = alone(self, inputs)
        check_flat(self, dims)
        if dims.channels != BLOCKS * self.nb_anchors:
            raise GraphError(
                f"RP cell {self.name} has NbAnchors={self.nb_anchors} and {dims.channels} channels of input",
                place=self.place("nb_anchors"),
                expected=f"{BLOCKS} channels for each anchor, as an Anchor cell gives",
            )
        self.check_outputs(COORDINATES)
        return Dims(1, 1, COORDINATES)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.nb_proposals} proposals")
        return lines
