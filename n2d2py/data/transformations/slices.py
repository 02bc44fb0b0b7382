"""A slice of an image at a place, upright or turned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.rois import cropped
from n2d2py.data.transformations.borders import Bordered
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.rescale import RESCALED

_BORDERS = {
    "ConstantBorder": "BORDER_CONSTANT",
    "MeanBorder": "BORDER_CONSTANT",
    "ReplicateBorder": "BORDER_REPLICATE",
    "ReflectBorder": "BORDER_REFLECT",
    "WrapBorder": "BORDER_WRAP",
    "MinusOneReflectBorder": "BORDER_REFLECT_101",
}
_PLANES = 4  # channels of which OpenCV's constant border has values


@dataclass(frozen=True, kw_only=True)
class Sliced(Bordered):
    """A transformation that takes a slice, which may be turned."""

    def turned(self, frame: Frame, left: int, top: int, columns: int, rows: int, degrees: float) -> Frame:
        """The slice whose window is turned counter-clockwise: what it shows turns clockwise by ``degrees``.

        The bounding box of the turned window is taken, turned back about its middle pixel, bilinear for the image
        and nearest for the labels, and its middle part is kept.
        """
        cv2 = opencv(self)
        require_depth(self, frame.image.dtype, *RESCALED)
        cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
        x0, width = _extent(left, columns, round(columns / 2 * cosine + rows / 2 * sine, 9))
        y0, height = _extent(top, rows, round(columns / 2 * sine + rows / 2 * cosine, 9))
        box = self.windowed(frame, x0, y0, width, height)
        centre = (width // 2, height // 2)
        matrix = cv2.getRotationMatrix2D(centre, -degrees, 1.0)
        x1, y1 = (width - columns) // 2, (height - rows) // 2
        planes = [
            cv2.warpAffine(
                np.ascontiguousarray(box.image[..., first : first + _PLANES]),
                matrix,
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=getattr(cv2, _BORDERS[self.border_type]),
                borderValue=self._scalar(frame.image, first),
            ).reshape(height, width, -1)
            for first in range(0, box.image.shape[2], _PLANES)
        ]
        image = np.concatenate(planes, axis=2)[y1 : y1 + rows, x1 : x1 + columns]
        labels = box.labels
        if frame.labelled_by_pixel:
            # OpenCV does not warp int32; every label up to 2^24 is exact in float32.
            labels = cv2.warpAffine(
                labels.astype(np.float32),
                matrix,
                (width, height),
                flags=cv2.INTER_NEAREST,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=IGNORE,
            ).astype(np.int32)[y1 : y1 + rows, x1 : x1 + columns]
        rois = tuple(roi.rotated(*centre, degrees) for roi in box.rois)
        return Frame(image, labels, cropped(rois, x1, y1, columns, rows), frame.stimulus)

    def _scalar(self, image: NDArray[Any], first: int) -> list[float]:
        return self.outside(image[np.newaxis])[0, first : first + _PLANES].astype(np.float64).tolist()


def _extent(start: int, size: int, half: float) -> tuple[int, int]:
    """First pixel and size of the bounding box of a turned window along an axis; at least the window's size."""
    middle = start + size / 2
    first = math.floor(middle - half)
    extent = math.ceil(middle + half) - first + 1
    missing = max(size - extent, 0)
    return first - (missing + 1) // 2, extent + missing
