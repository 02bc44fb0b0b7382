"""TrimTransformation: the image without the even border around what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.rois import cropped
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.depth import require_channels, require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import Kind, one_of, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_MIDDLE = 128  # gray levels from here on are bright
_ROUNDS = 100  # of k-means, which settles long before


def _levels(text: str, place: Any) -> int:
    value = unsigned.parse(text, place)
    if not 2 <= value <= 256:
        raise ValueError(f"{value} is outside")
    return value


@register("transformation", "TrimTransformation")
@dataclass(frozen=True, kw_only=True)
class TrimTransformation(Transformation):
    """Rows and columns that are all of the border's gray level are cut from each side; labels and regions alike.

    The gray image is reduced to NbLevels levels. The border's level is the most frequent one on the outermost
    pixels. A 3 x 3 erosion (of a dark border) or dilation (of a bright one) takes away specks first. An image of
    one level stays what it is.
    """

    levels: int = parameter("NbLevels", Kind("an integer of 2 to 256", _levels), REQUIRED, "gray levels")
    method: str = parameter(
        "Method", one_of("Discretize", "Reduce"), "Discretize", "evenly spaced levels, or those of k-means"
    )

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "8U")
        return dtype

    def out_dims(self, dims: Dims) -> None:
        require_channels(self, dims[2], 1, 3)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        self.out_dims((width, height, channels))
        self.out_dtype(frame.image.dtype)
        left, top, right, bottom = self._box(frame.image)
        labels = frame.labels[top:bottom, left:right] if frame.labelled_by_pixel else frame.labels
        rois = cropped(frame.rois, left, top, right - left, bottom - top)
        return Frame(frame.image[top:bottom, left:right], labels, rois, frame.stimulus)

    def _box(self, image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what is kept; the last two exclusive."""
        cv2 = opencv(self)
        height, width, channels = image.shape
        gray = image[..., 0] if channels == 1 else cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY)
        gray = (self._discretized(gray) if self.method == "Discretize" else self._reduced(gray)).astype(np.uint8)
        around = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
        border = int(np.bincount(around).argmax())
        clean = (cv2.dilate if border >= _MIDDLE else cv2.erode)(gray, np.ones((3, 3), np.uint8))
        other = clean != border
        if not other.any():
            return 0, 0, width, height
        columns, rows = np.flatnonzero(other.any(axis=0)), np.flatnonzero(other.any(axis=1))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def _discretized(self, gray: NDArray[np.uint8]) -> NDArray[np.float64]:
        last = self.levels - 1
        return np.trunc(255 * np.floor(last * gray.astype(np.float64) / 255 + 0.5) / last)

    def _reduced(self, gray: NDArray[np.uint8]) -> NDArray[np.float64]:
        """k-means of the gray levels (Lloyd 1982), from evenly spaced ones, so that nothing is drawn."""
        values, counts = np.arange(256, dtype=np.float64), np.bincount(gray.ravel(), minlength=256)
        centres = np.linspace(gray.min(), gray.max(), self.levels)
        for _ in range(_ROUNDS):
            nearest = np.abs(values[:, np.newaxis] - centres).argmin(axis=1)
            weights = np.bincount(nearest, counts, self.levels)
            sums = np.bincount(nearest, counts * values, self.levels)
            following = np.where(weights > 0, sums / np.maximum(weights, 1), centres)
            if np.array_equal(following, centres):
                break
            centres = following
        return np.rint(centres[nearest])[gray]
