"""ROIPooling: the features of each proposed region, all of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.anchor import COORDINATES
from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, one_of, positive
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "ROIPooling")
@dataclass(frozen=True, kw_only=True)
class ROIPooling(ActivatedCell):
    """The features of each proposed box, pooled to one size (Girshick 2015, arXiv:1504.08083).

    The first input are boxes (x, y, width, height in pixels of the stimuli), all others features, concatenated. A box
    lies on the features at its coordinates over r, r being the stimuli's size over the features', rounded up.

    * Max, Average: the box grows to whole features, floor(x / r) to ceil((x + w) / r), at least one; output i of n
      over a side of s features takes floor(i s / n) to ceil((i + 1) s / n) (section 2.1 of the paper).
    * Bilinear: the output divides the box into n areas, and takes the weighted mean of the features around the
      centre of each.
    * BilinearTF: the first and the last output lie on the first and the last feature of the box, the others evenly
      between them (one output alone: on the first).

    What of a box lies beyond the features: Max and Average cut it off before the box is divided, and Bilinear takes the
    nearest feature there is. With IgnorePadding=1 it does not count: the whole box is divided, an output takes the
    maximum or the mean of its features that exist, the bilinear weights are divided by the sum of those of features
    that exist, and an output without any is 0. Boxes of RP lie within the stimuli and are pooled as ever.

    Flip=1: the features were made of the stimuli with left and right exchanged. A box is pooled where it comes to lie
    in them, at x' = W - x - w of stimuli of width W. The output is not mirrored back: its left is the box's right.

    The output has a row for each box. No gradient comes back to the boxes.
    """

    changes_rows: ClassVar[bool] = True
    own_meanings: ClassVar[tuple[str, ...]] = ("flip", "ignore_padding")

    width: int = parameter("OutputsWidth", positive, REQUIRED, "width of the output")
    height: int = parameter("OutputsHeight", positive, REQUIRED, "height of the output")
    pooling: str = parameter(
        "Pooling", one_of("Max", "Average", "Bilinear", "BilinearTF"), REQUIRED, "what is taken of the features"
    )
    flip: bool = parameter("Flip", boolean, False, "1: the features are those of mirrored stimuli")
    ignore_padding: bool = parameter(
        "IgnorePadding", boolean, False, "1: what of a box lies beyond the features does not count"
    )

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        if len(inputs) < 2:
            raise GraphError(
                f"ROIPooling cell {self.name} has one input",
                place=self.place(),
                expected="Input=<boxes>,<features>: a cell such as RP, then the cells whose output is pooled",
            )
        if (inputs[0].channels, inputs[0].width, inputs[0].height) != (COORDINATES, 1, 1):
            raise GraphError(
                f"ROIPooling cell {self.name}: its first input {self.inputs[0]} is {inputs[0]}",
                place=self.place(),
                expected="boxes, of 4 channels and size 1x1, as RP gives",
            )
        for dims in inputs[1:]:
            check_flat(self, dims)
        sizes = {(dims.width, dims.height) for dims in inputs[1:]}
        if len(sizes) > 1:
            raise GraphError(
                f"the features of ROIPooling cell {self.name} differ in size: "
                + ", ".join(f"{width}x{height}" for width, height in sorted(sizes)),
                place=self.place(),
                expected="features of one width and height",
            )
        self.check_outputs(sum(dims.channels for dims in inputs[1:]))
        return Dims(self.width, self.height, self.nb_outputs)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, self.pooling + (", mirrored" if self.flip else ""))
        return lines
