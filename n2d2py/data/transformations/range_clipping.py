"""RangeClippingTransformation: stretch a range of values to the full scale, clip what lies outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.depth import full_scale, saturated
from n2d2py.kinds import real
from n2d2py.parameters import parameter
from n2d2py.registry import register


@register("transformation", "RangeClippingTransformation")
@dataclass(frozen=True, kw_only=True)
class RangeClippingTransformation(ImageTransformation):
    """[RangeMin, RangeMax] becomes [0, full scale], which is 1 for reals; what lies outside is clipped.

    A bound of at most 0 stands for the lowest or highest value of the image, so that without bounds the image is
    stretched to the full scale. An empty range gives 0.
    """

    range_min: float = parameter("RangeMin", real, 0.0, "value that becomes 0; at most 0: the lowest of the image")
    range_max: float = parameter(
        "RangeMax", real, 0.0, "value that becomes the full scale; at most 0: the highest of the image"
    )

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        values = image.astype(np.float64)
        low = self.range_min if self.range_min > 0 else float(values.min())
        high = self.range_max if self.range_max > 0 else float(values.max())
        if high == low:
            return np.zeros_like(image)
        scale = full_scale(image.dtype)
        return saturated(np.clip((values - low) * (scale / (high - low)), 0, scale), image.dtype)
