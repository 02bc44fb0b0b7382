"""RescaleTransformation: another size, by bilinear interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, positive
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

RESCALED = ("8U", "16U", "16S", "32F", "64F")
"""Depths that OpenCV interpolates."""


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

    batched: ClassVar[bool] = True

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, *RESCALED)
        return dtype

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

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        if (columns, rows) == (width, height):
            return frame
        cv2 = opencv(self)
        image = self._rescale(frame.image[np.newaxis], (columns, rows))[0]
        labels = frame.labels
        if frame.labelled_by_pixel:
            labels = cv2.resize(labels, (columns, rows), interpolation=cv2.INTER_NEAREST)
        rois = tuple(roi.rescaled(columns / width, rows / height) for roi in frame.rois)
        return Frame(image, labels, rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        _, height, width, channels = images.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        return images if (columns, rows) == (width, height) else self._rescale(images, (columns, rows))

    def _rescale(self, images: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
        cv2 = opencv(self)
        require_depth(self, images.dtype, *RESCALED)
        if len(images) == 1:  # without a copy: this is how files are read
            pixels = cv2.resize(images[0], size, interpolation=cv2.INTER_LINEAR)
            return pixels.reshape(1, size[1], size[0], images.shape[3])
        result = np.empty((len(images), size[1], size[0], images.shape[3]), images.dtype)
        for image, rescaled in zip(images, result, strict=True):
            rescaled[...] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).reshape(rescaled.shape)
        return result
