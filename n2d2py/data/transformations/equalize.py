"""EqualizeTransformation: a flat histogram of the lightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import require_channels, require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import one_of, positive, real
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("transformation", "EqualizeTransformation")
@dataclass(frozen=True, kw_only=True)
class EqualizeTransformation(ImageTransformation):
    """Equalize the histogram of a gray image, or of the lightness (CIE Lab) of one in blue, green, red.

    CLAHE: contrast limited adaptive histogram equalization, Zuiderveld, Graphics Gems IV, 1994.
    """

    method: str = parameter("Method", one_of("Standard", "CLAHE"), "Standard", "of the whole image, or adaptive")
    clip_limit: float = parameter("CLAHE_ClipLimit", real, 40.0, "limit of the contrast")
    grid_size: int = parameter("CLAHE_GridSize", positive, 8, "tiles along each axis")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "8U")
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        require_channels(self, dims[2], 1, 3)
        return dims

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        height, width, channels = image.shape
        self.out_dims((width, height, channels))
        if channels == 1:
            return self._equalized(image[..., 0])
        cv2 = opencv(self)
        lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2Lab)
        lab[..., 0] = self._equalized(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_Lab2BGR)

    def _equalized(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        cv2 = opencv(self)
        plane = np.ascontiguousarray(plane)
        if self.method == "Standard":
            return cv2.equalizeHist(plane)
        return cv2.createCLAHE(self.clip_limit, (self.grid_size, self.grid_size)).apply(plane)
