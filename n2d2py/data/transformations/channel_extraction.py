"""ChannelExtractionTransformation: one channel of the image, or of its conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import require_channels, require_depth, saturated
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import one_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_PLANES = {"Blue": 0, "Green": 1, "Red": 2}
_CONVERTED = {
    "Hue": ("COLOR_BGR2HSV", 0),
    "Saturation": ("COLOR_BGR2HSV", 1),
    "Value": ("COLOR_BGR2HSV", 2),
    "Gray": ("COLOR_BGR2GRAY", 0),
    "Y": ("COLOR_BGR2YCrCb", 0),
    "Cr": ("COLOR_BGR2YCrCb", 1),
    "Cb": ("COLOR_BGR2YCrCb", 2),
}


@register("transformation", "ChannelExtractionTransformation")
@dataclass(frozen=True, kw_only=True)
class ChannelExtractionTransformation(ImageTransformation):
    """One channel of images in blue, green, red; a gray image stays what it is.

    Blue, Green and Red are the first, second and third channel, whatever they hold. The hue of bytes, 0..179 in
    OpenCV, is stretched to 0..255 (times 255/180, rounded).
    """

    channel: str = parameter("CSChannel", one_of(*_PLANES, *_CONVERTED), REQUIRED, "channel of the result")

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        if self.channel in _PLANES:
            require_channels(self, channels, 1, *range(_PLANES[self.channel] + 1, max(channels, 3) + 1))
        else:
            require_channels(self, channels, 1, 3, 4)
        return (width, height, 1)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        return self.apply(image[np.newaxis], draws)[0]

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        count, height, width, channels = images.shape
        self.out_dims((width, height, channels))
        if channels == 1:
            return images
        if self.channel in _PLANES:
            plane = _PLANES[self.channel]
            return images[..., plane : plane + 1]
        hsv = self.channel in ("Hue", "Saturation", "Value")
        require_depth(self, images.dtype, "8U", *(() if hsv else ("16U",)), "32F")
        cv2 = opencv(self)
        name, plane = _CONVERTED[self.channel]
        result = np.empty((count, height, width, 1), images.dtype)
        for image, extracted in zip(images, result, strict=True):
            converted = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), getattr(cv2, name))
            extracted[..., 0] = converted if converted.ndim == 2 else converted[..., plane]
        if self.channel == "Hue" and images.dtype == np.uint8:
            return saturated(result * (255 / 180), images.dtype)
        return result
