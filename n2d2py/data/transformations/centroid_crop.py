"""CentroidCropTransformation: crop so that the centroid of the intensity is in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.depth import require_channels
from n2d2py.errors import DataError
from n2d2py.kinds import Kind, integer
from n2d2py.parameters import parameter
from n2d2py.registry import register


def _axis(text: str, place: Any) -> int:
    value = integer.parse(text, place)
    if value not in (-1, 0, 1):
        raise ValueError(f"{value} is no axis")
    return value


axis = Kind("-1 (both axes), 0 (columns) or 1 (rows)", _axis)


@register("transformation", "CentroidCropTransformation")
@dataclass(frozen=True, kw_only=True)
class CentroidCropTransformation(Transformation):
    """With c the centroid of a gray image along an axis of n pixels, cut to an integer, m = min(c, n - c) pixels
    on each side of c are kept. An image of zeros has its centroid in the middle. Labels of pixels are cropped
    alike; regions do not move, as in N2D2.
    """

    axis: int = parameter("Axis", axis, -1, "axis that is cropped: -1 both, 0 columns, 1 rows")

    leaves_regions: ClassVar[bool] = True

    def out_dims(self, dims: Dims) -> None:
        require_channels(self, dims[2], 1)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        self.out_dims((width, height, channels))
        values = frame.image[..., 0].astype(np.float64)
        rows, columns = slice(0, height), slice(0, width)
        if self.axis in (-1, 0):
            columns = _around(values.sum(axis=0))
        if self.axis in (-1, 1):
            rows = _around(values.sum(axis=1))
        image = frame.image[rows, columns]
        if not image.size:
            raise DataError(
                f"the centroid of stimulus {frame.stimulus} lies on its border: nothing is left of it",
                place=self.place(),
                expected="images whose intensity is not all in the first row or column",
            )
        labels = frame.labels[rows, columns] if frame.labelled_by_pixel else frame.labels
        return Frame(image, labels, frame.rois, frame.stimulus)


def _around(sums: NDArray[np.float64]) -> slice:
    """What is kept of an axis whose rows or columns have these sums."""
    total = sums.sum()
    centre = int((sums * np.arange(len(sums))).sum() / total) if total else len(sums) // 2
    half = max(min(centre, len(sums) - centre), 0)
    return slice(centre - half, centre + half)
