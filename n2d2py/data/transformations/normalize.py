"""NormalizeTransformation: a given range, or a given norm, of each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.depth import full_scale
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean, one_of, real
from n2d2py.parameters import parameter
from n2d2py.registry import register

_NORMS = {"L1": "NORM_L1", "L2": "NORM_L2", "Linf": "NORM_INF"}


@register("transformation", "NormalizeTransformation")
@dataclass(frozen=True, kw_only=True)
class NormalizeTransformation(ImageTransformation):
    """MinMax: lowest and highest value become NormMin and NormMax times the full scale (1 for reals).

    L1, L2, Linf: values are divided by the full scale, to 32F, and then scaled so that the norm of all of them is
    NormValue; an image of 0 stays 0.
    """

    norm: str = parameter("Norm", one_of("MinMax", *_NORMS), "MinMax", "what is normalized")
    value: float = parameter("NormValue", real, 1.0, "the norm of the result")
    low: float = parameter("NormMin", real, 0.0, "lowest value of the result, in full scales")
    high: float = parameter("NormMax", real, 1.0, "highest value of the result, in full scales")
    per_channel: bool = parameter("PerChannel", boolean, False, "1: each channel by itself")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return dtype if self.norm == "MinMax" else np.dtype(np.float32)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if not self.per_channel:
            return self._normalized(image)
        planes = [self._normalized(image[..., channel]) for channel in range(image.shape[2])]
        return np.stack(planes, axis=2)

    def _normalized(self, image: NDArray[Any]) -> NDArray[Any]:
        cv2 = opencv(self)
        scale = full_scale(image.dtype)
        # OpenCV sees one channel, so that the bounds are those of all values.
        flat = np.ascontiguousarray(image).reshape(image.shape[0], -1)
        if self.norm == "MinMax":
            result = cv2.normalize(flat, None, self.low * scale, self.high * scale, cv2.NORM_MINMAX)
        else:
            reals = flat.astype(np.float32) * np.float32(1 / scale)
            result = cv2.normalize(reals, None, self.value, 0, getattr(cv2, _NORMS[self.norm]))
        return result.reshape(image.shape)
