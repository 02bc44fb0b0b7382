"""PadCropTransformation: a given size, by padding and cropping around the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, one_of, real, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_OUTSIDE = -1  # index of a pixel that is not of the image
_MODES = {
    "ConstantBorder": None,
    "ReplicateBorder": "edge",
    "ReflectBorder": "symmetric",
    "WrapBorder": "wrap",
    "MinusOneReflectBorder": "reflect",
    "MeanBorder": None,
}


@register("transformation", "PadCropTransformation")
@dataclass(frozen=True, kw_only=True)
class PadCropTransformation(Transformation):
    """Pad an axis that is too short, crop one that is too long.

    With d = wanted - present size, ceil(d/2) pixels come before and the rest behind (negative: are removed).
    """

    width: int = parameter("Width", unsigned, REQUIRED, "width of the result", unit="pixels")
    height: int = parameter("Height", unsigned, REQUIRED, "height of the result", unit="pixels")
    additive: bool = parameter("AdditiveWH", boolean, False, "1: Width and Height are added to the present size")
    border_type: str = parameter(
        "BorderType",
        one_of(*_MODES),
        "MinusOneReflectBorder",
        "padding of abc: MinusOneReflect cb|abc|ba, Reflect cba|abc|cba, Replicate aaa|abc|ccc, Wrap abc|abc|abc, "
        "Constant BorderValue, Mean the mean of the image",
    )
    border_value: tuple[float, ...] = parameter(
        "BorderValue", list_of(real), (), "with ConstantBorder: value of each channel; missing ones are 0"
    )

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        size = (width + self.width, height + self.height) if self.additive else (self.width, self.height)
        if min(size) < 1:
            raise ParameterError(
                f"an image would be cropped to {size[0]}x{size[1]} pixels",
                place=self.place("width" if size[0] < 1 else "height"),
                expected="at least one pixel on each axis",
            )
        return (*size, channels)

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        _, height, width, channels = images.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        y, x = self._indices(height, rows), self._indices(width, columns)
        result = np.take(np.take(images, y, axis=1), x, axis=2)
        outside = (y == _OUTSIDE)[:, np.newaxis] | (x == _OUTSIDE)
        if outside.any():
            result[:, outside] = self._border(images)[:, np.newaxis]
        return result

    def _indices(self, size: int, wanted: int) -> NDArray[np.int64]:
        """For each pixel of the resulting axis the index of the pixel that it shows."""
        before = -((size - wanted) // 2)  # ceil((wanted - size) / 2)
        if wanted <= size:
            return np.arange(-before, -before + wanted)
        pads, mode = (before, wanted - size - before), _MODES[self.border_type]
        if mode is None:
            return np.pad(np.arange(size), pads, constant_values=_OUTSIDE)
        return np.pad(np.arange(size), pads, mode=mode)  # type: ignore[call-overload]

    def _border(self, images: NDArray[Any]) -> NDArray[Any]:
        """The value of each channel outside of each image: (count, channels) or (1, channels)."""
        if self.border_type == "MeanBorder":
            values = images.mean(axis=(1, 2), dtype=np.float64)
        else:
            channels = images.shape[-1]
            values = np.array([(*self.border_value, *[0.0] * channels)[:channels]])
        if np.issubdtype(images.dtype, np.integer):
            bounds = np.iinfo(images.dtype)
            values = np.clip(np.rint(values), bounds.min, bounds.max)
        return values.astype(images.dtype)
