"""RescaleTransformation: another size, by bilinear interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import DataError, ParameterError
from n2d2py.kinds import boolean, positive
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "RescaleTransformation")
@dataclass(frozen=True, kw_only=True)
class RescaleTransformation(Transformation):
    """Bilinear interpolation without low-pass filter: OpenCV's INTER_LINEAR, in the depth of the image.

    With KeepAspectRatio=1 the ratio is r = min(Width/W, Height/H), or max with ResizeToFit=0, and the size is
    (trunc(r W), trunc(r H)), in which one side may come out a pixel short, as in N2D2.
    """

    width: int = parameter("Width", positive, REQUIRED, "width of the result", unit="pixels")
    height: int = parameter("Height", positive, REQUIRED, "height of the result", unit="pixels")
    keep_aspect_ratio: bool = parameter("KeepAspectRatio", boolean, False, "1: both axes with the same ratio")
    resize_to_fit: bool = parameter(
        "ResizeToFit", boolean, True, "with KeepAspectRatio=1: 1 fits inside Width x Height, 0 covers it"
    )

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        if not self.keep_aspect_ratio:
            return (self.width, self.height, channels)
        ratios = (self.width / width, self.height / height)
        ratio = min(ratios) if self.resize_to_fit else max(ratios)
        size = (int(ratio * width), int(ratio * height))
        if min(size) < 1:
            raise ParameterError(
                f"an image of {width}x{height} pixels would be rescaled to {size[0]}x{size[1]}",
                place=self.place(),
                expected="at least one pixel on each axis",
                remedy="KeepAspectRatio=0, or a larger Width and Height",
            )
        return (*size, channels)

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        try:
            import cv2
        except ImportError:
            raise DataError(
                "RescaleTransformation needs OpenCV, which is not installed",
                place=self.place(),
                remedy="pip install opencv-python-headless",
            ) from None
        count, height, width, channels = images.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        if (columns, rows) == (width, height):
            return images
        result = np.empty((count, rows, columns, channels), images.dtype)
        for image, rescaled in zip(images, result, strict=True):
            resized = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
            rescaled[...] = resized.reshape(rows, columns, channels)
        return result
