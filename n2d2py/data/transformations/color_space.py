"""ColorSpaceTransformation: other colours, by OpenCV's conversions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import require_channels, require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import one_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_SPACES = {"HSV": "HSV", "HLS": "HLS", "YCrCb": "YCrCb", "CIELab": "Lab", "CIELuv": "Luv"}
_DEPTHS = {"YCrCb": ("8U", "16U", "32F")}
_WHOLE = {np.dtype(kind) for kind in (np.uint8, np.uint16, np.float32)}  # of which OpenCV reverses the channels
_CODES = {
    **{name: f"COLOR_BGR2{code}" for name, code in _SPACES.items()},
    **{f"RGB_to_{name}": f"COLOR_RGB2{code}" for name, code in _SPACES.items()},
    **{f"{name}_to_{to}": f"COLOR_{code}2{to}" for name, code in _SPACES.items() for to in ("BGR", "RGB")},
}
_REVERSED = ("RGB", "RGB_to_BGR")
_PLAIN = ("BGR", *_REVERSED)
_ALPHA = 4  # channels of an image with transparency


@register("transformation", "ColorSpaceTransformation")
@dataclass(frozen=True, kw_only=True)
class ColorSpaceTransformation(ImageTransformation):
    """Images are blue, green, red as they are read; ``X_to_Y`` names what they are before and after.

    BGR and RGB make three channels of a gray image; every other conversion leaves gray images as they are. RGB
    reverses the channels, so that twice is as never. Transparency is dropped.
    """

    color_space: str = parameter(
        "ColorSpace", one_of(*_PLAIN, *_CODES), REQUIRED, "colours of the result, or conversion"
    )

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        require_channels(self, channels, 1, 3, *(() if self._from_space else (_ALPHA,)))
        grows = channels == 1 and self.color_space in ("BGR", "RGB")
        return (width, height, 3 if grows or channels == _ALPHA else channels)

    @property
    def by_pixel(self) -> bool:
        # OpenCV may round other conversions of a pixel differently at the end of a row.
        return self.color_space in _PLAIN

    @property
    def _from_space(self) -> bool:
        return self.color_space.endswith(("_to_BGR", "_to_RGB")) and not self.color_space.startswith("RGB")

    def _accept(self, dtype: np.dtype[Any]) -> None:
        names = next((names for key, names in _DEPTHS.items() if key in self.color_space), ("8U", "32F"))
        require_depth(self, dtype, *(("8U", "16U", "32F") if self.color_space in _PLAIN else names))

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if self.color_space in _REVERSED and image.shape[2] == 3 and image.dtype in _WHOLE:
            cv2 = opencv(self)
            return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2RGB)
        return self.apply(image[np.newaxis], draws)[0]

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        count, height, width, channels = images.shape
        planes = self.out_dims((width, height, channels))[2]
        if channels == 1:
            return images if planes == 1 else np.repeat(images, 3, axis=3)
        if self.color_space == "BGR" and channels == planes:
            return images
        self._accept(images.dtype)
        if self.color_space in _PLAIN:
            return images[..., 2::-1] if self.color_space in _REVERSED else images[..., :3]
        cv2 = opencv(self)
        code = getattr(cv2, _CODES[self.color_space])
        result = np.empty((count, height, width, planes), images.dtype)
        for image, converted in zip(images, result, strict=True):
            converted[...] = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), code)
        return result
