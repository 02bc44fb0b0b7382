"""GradientFilterTransformation: edges in place of the image, or labels only where there are edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.depth import full_scale, require_channels
from n2d2py.data.transformations.opencv import opencv
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, integer, list_of, one_of, positive, real, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

_WIDEST = 31  # of OpenCV's kernels


@register("transformation", "GradientFilterTransformation")
@dataclass(frozen=True, kw_only=True)
class GradientFilterTransformation(Transformation):
    """|dx|/2 + |dy|/2, or the magnitude of the Laplacian, of the image divided by its full scale; 32F.

    With ApplyToLabels=1 the image stays, and labels of pixels (of those in Label, if any are given) become -1
    where the gradient of the gray image is not above Threshold (InvThreshold=1: where it is).
    """

    scale: float = parameter("Scale", real, 1.0, "factor of the derivatives")
    delta: float = parameter("Delta", real, 0.0, "what is added to the derivatives")
    apply_to_labels: bool = parameter("ApplyToLabels", boolean, False, "1: labels are filtered, not the image")
    gradient: str = parameter("GradientFilter", one_of("Sobel", "Scharr", "Laplacian"), "Sobel", "derivative")
    kernel_size: int = parameter("KernelSize", positive, 3, "side of the kernel, an odd number", unit="pixels")
    inverted: bool = parameter("InvThreshold", boolean, False, "1: labels stay where the gradient is low")
    threshold: float = parameter("Threshold", real, 0.5, "gradient above which labels stay")
    label: tuple[int, ...] = parameter("Label", list_of(integer), (), "labels that are filtered; none: all")
    gradient_scale: float = parameter(
        "GradientScale", real_between(0, math.inf, low_open=True), 1.0, "of the image whose gradient filters labels"
    )

    batched: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_size % 2 == 0 or self.kernel_size > _WIDEST:
            raise ParameterError(
                f"there is no kernel of {self.kernel_size}x{self.kernel_size}",
                place=self.place("kernel_size"),
                expected=f"KernelSize an odd number up to {_WIDEST}",
            )

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return dtype if self.apply_to_labels else np.dtype(np.float32)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        if not self.apply_to_labels:
            return frame.with_image(self._gradient(self._unit(frame.image)))
        if not frame.labelled_by_pixel:
            return frame
        cv2 = opencv(self)
        height, width, channels = frame.image.shape
        require_channels(self, channels, 1, 3)
        gray = self._unit(frame.image)
        gray = gray[..., 0] if channels == 1 else cv2.cvtColor(gray, cv2.COLOR_BGR2GRAY)
        if self.gradient_scale != 1:
            size = (max(int(width * self.gradient_scale), 1), max(int(height * self.gradient_scale), 1))
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR)
        gradient = self._gradient(gray)
        if gradient.shape != (height, width):
            gradient = cv2.resize(gradient, (width, height), interpolation=cv2.INTER_LINEAR)
        dropped = (gradient > self.threshold) == self.inverted
        if self.label:
            dropped &= np.isin(frame.labels, self.label)
        labels = np.where(dropped, IGNORE, frame.labels).astype(np.int32)
        return Frame(frame.image, labels, frame.rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if self.apply_to_labels:
            return images
        result = np.empty(images.shape, np.float32)
        for image, gradient in zip(images, result, strict=True):
            gradient[...] = self._gradient(self._unit(image)).reshape(image.shape)
        return result

    def _unit(self, image: NDArray[Any]) -> NDArray[np.float32]:
        return image.astype(np.float32) * np.float32(1 / full_scale(image.dtype))

    def _gradient(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        cv2 = opencv(self)
        shared = {"scale": self.scale, "delta": self.delta}
        if self.gradient == "Laplacian":
            return np.abs(cv2.Laplacian(values, cv2.CV_32F, ksize=self.kernel_size, **shared))
        if self.gradient == "Scharr":
            dx, dy = (cv2.Scharr(values, cv2.CV_32F, x, 1 - x, **shared) for x in (1, 0))
        else:
            dx, dy = (cv2.Sobel(values, cv2.CV_32F, x, 1 - x, ksize=self.kernel_size, **shared) for x in (1, 0))
        return np.float32(0.5) * np.abs(dx) + np.float32(0.5) * np.abs(dy)
