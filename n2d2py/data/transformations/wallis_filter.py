"""WallisFilterTransformation: a given mean and standard deviation, of the image or around each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean, real, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_LEAST = 1e-6  # variance below which a surrounding counts as flat


@register("transformation", "WallisFilterTransformation")
@dataclass(frozen=True, kw_only=True)
class WallisFilterTransformation(ImageTransformation):
    """Size=0: (x + Mean - m) StdDev / s, with m and s of the whole image; a flat image gives 0.

    Else (x - m) / sqrt(max(E[x^2] - m^2, 1e-6)) with mean values over Size x Size pixels around each, the border
    replicated; Mean and StdDev then have no effect. The result is 32F, so no implicit scaling follows.
    """

    size: int = parameter("Size", unsigned, REQUIRED, "side of the surrounding; 0: the whole image", unit="pixels")
    mean: float = parameter("Mean", real, 0.0, "with Size=0: the mean before scaling")
    deviation: float = parameter("StdDev", real, 1.0, "with Size=0: the standard deviation")
    per_channel: bool = parameter("PerChannel", boolean, False, "1: with Size=0, each channel by itself")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size and (self.mean != 0 or self.deviation != 1):
            self.warn_once("Mean and StdDev have no effect with a Size other than 0")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        values = image.astype(np.float32)
        if self.size == 0:
            axes = (0, 1) if self.per_channel else (0, 1, 2)
            mean = values.mean(axis=axes, dtype=np.float64)
            deviation = values.std(axis=axes, dtype=np.float64)
            gain = np.where(deviation > 0, self.deviation / np.where(deviation > 0, deviation, 1), 0)
            return ((values + (self.mean - mean)) * gain).astype(np.float32)
        cv2 = opencv(self)
        box = np.full((self.size, self.size), 1 / self.size**2, np.float64)
        reals = values.astype(np.float64)
        mean = cv2.filter2D(reals, -1, box, borderType=cv2.BORDER_REPLICATE).reshape(reals.shape)
        square = cv2.filter2D(reals * reals, -1, box, borderType=cv2.BORDER_REPLICATE).reshape(reals.shape)
        return ((reals - mean) / np.sqrt(np.maximum(square - mean * mean, _LEAST))).astype(np.float32)
