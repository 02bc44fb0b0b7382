"""ThresholdTransformation: values above a threshold, and those below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean, one_of, real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_OPERATIONS = {
    "Binary": "THRESH_BINARY",
    "BinaryInverted": "THRESH_BINARY_INV",
    "Truncate": "THRESH_TRUNC",
    "ToZero": "THRESH_TOZERO",
    "ToZeroInverted": "THRESH_TOZERO_INV",
}


@register("transformation", "ThresholdTransformation")
@dataclass(frozen=True, kw_only=True)
class ThresholdTransformation(ImageTransformation):
    """With v > t, Binary gives MaxValue, else 0; Truncate gives t, else v; ToZero gives v, else 0.

    An inverted operation exchanges what is given above and below. Each channel is thresholded by itself, and both
    values are on the present scale of the image. Otsu, "A threshold selection method from gray-level histograms",
    IEEE Trans. SMC 9(1), 1979, finds t for each image; the key Threshold then has no effect.
    """

    threshold: float = parameter("Threshold", real, REQUIRED, "the threshold t")
    otsu: bool = parameter("OtsuMethod", boolean, False, "1: t is found by Otsu's method")
    operation: str = parameter("Operation", one_of(*_OPERATIONS), "Binary", "what is given above and below")
    max_value: float = parameter("MaxValue", real, 1.0, "value of the binary operations")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "8U", "16U", *(() if self.otsu else ("16S", "32F", "64F")))
        return dtype

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        cv2 = opencv(self)
        kind = getattr(cv2, _OPERATIONS[self.operation]) | (cv2.THRESH_OTSU if self.otsu else 0)
        planes = [
            cv2.threshold(np.ascontiguousarray(image[..., channel]), self.threshold, self.max_value, kind)[1]
            for channel in range(image.shape[2])
        ]
        return np.stack(planes, axis=2)
