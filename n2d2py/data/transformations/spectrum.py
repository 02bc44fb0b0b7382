"""Spectra: DCTTransformation, DFTTransformation and MagnitudePhaseTransformation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import require_channels, require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean
from n2d2py.parameters import parameter
from n2d2py.registry import register

_REAL = np.dtype(np.float64)


@lru_cache(maxsize=64)
def fast_size(size: int) -> int:
    """The lowest number of at least ``size`` that has no prime factor but 2, 3 and 5."""
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1


def _padded(image: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """With zeros behind, to a size."""
    height, width = image.shape[:2]
    return np.pad(image, [(0, rows - height), (0, columns - width)])


@register("transformation", "DCTTransformation")
@dataclass(frozen=True, kw_only=True)
class DCTTransformation(ImageTransformation):
    """The orthonormal discrete cosine transform (type 2) of each channel, of the image or of each row.

    Axes of N pixels are filled with zeros to twice the next fast size of ceil(N / 2). Ahmed, Natarajan and Rao,
    "Discrete cosine transform", IEEE Trans. Computers C-23(1), 1974.
    """

    two_dimensional: bool = parameter("TwoDimensional", boolean, True, "0: each row by itself")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "32F", "64F")
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        return (2 * fast_size((width + 1) // 2), 2 * fast_size((height + 1) // 2), channels)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        cv2 = opencv(self)
        height, width, channels = image.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        flags = 0 if self.two_dimensional else cv2.DCT_ROWS
        planes = [cv2.dct(_padded(image[..., channel], rows, columns), flags=flags) for channel in range(channels)]
        return np.stack(planes, axis=2)


@register("transformation", "DFTTransformation")
@dataclass(frozen=True, kw_only=True)
class DFTTransformation(ImageTransformation):
    """The discrete Fourier transform of a gray image, or of each row: real and imaginary part, 64F, not scaled.

    Axes are filled with zeros to the next fast size. No implicit scaling follows.
    """

    two_dimensional: bool = parameter("TwoDimensional", boolean, True, "0: each row by itself")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return _REAL

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        require_channels(self, channels, 1)
        return (fast_size(width), fast_size(height), 2)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        cv2 = opencv(self)
        height, width, channels = image.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        flags = cv2.DFT_COMPLEX_OUTPUT | (0 if self.two_dimensional else cv2.DFT_ROWS)
        return cv2.dft(_padded(image[..., 0].astype(_REAL), rows, columns), flags=flags)


@register("transformation", "MagnitudePhaseTransformation")
@dataclass(frozen=True, kw_only=True)
class MagnitudePhaseTransformation(ImageTransformation):
    """Of real and imaginary part the magnitude m = |z| (or log(1 + m)) and the phase atan2(im, re), 64F."""

    log_scale: bool = parameter("LogScale", boolean, False, "1: log(1 + magnitude)")

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return _REAL

    def out_dims(self, dims: Dims) -> Dims:
        require_channels(self, dims[2], 2)
        return dims

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        height, width, channels = image.shape
        self.out_dims((width, height, channels))
        values = image.astype(_REAL)
        magnitude = np.hypot(values[..., 0], values[..., 1])
        if self.log_scale:
            magnitude = np.log1p(magnitude)
        return np.stack([magnitude, np.arctan2(values[..., 1], values[..., 0])], axis=2)
