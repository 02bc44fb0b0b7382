"""DistortionTransformation: elastic distortion, with a random scale and rotation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.kernels import gaussian
from n2d2py.data.transformations.opencv import opencv
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, positive, real_between, unsigned_real
from n2d2py.parameters import parameter
from n2d2py.registry import register

Reals = NDArray[np.float64]


@register("transformation", "DistortionTransformation")
@dataclass(frozen=True, kw_only=True)
class DistortionTransformation(Transformation):
    """Each pixel shows the place (x - dx, y - dy), bilinear; the displacements are drawn for each image.

    Two fields of uniform numbers in [-1, 1], smoothed by a Gaussian and times ElasticScaling, plus a scaling and
    a rotation about the middle. Simard, Steinkraus and Platt, "Best practices for convolutional neural networks
    applied to visual document analysis", ICDAR 2003, section 2. Labels of pixels move alike; regions do not.
    """

    gaussian_size: int = parameter("ElasticGaussianSize", positive, 15, "side of the Gaussian", unit="pixels")
    sigma: float = parameter(
        "ElasticSigma", real_between(0, math.inf, low_open=True), 6.0, "its standard deviation", unit="pixels"
    )
    elastic: float = parameter("ElasticScaling", unsigned_real, 0.0, "strength of the elastic distortion")
    scaling: float = parameter("Scaling", unsigned_real, 0.0, "largest change of the size", unit="percent")
    rotation: float = parameter("Rotation", unsigned_real, 0.0, "largest rotation", unit="degrees")
    ignore_missing: bool = parameter(
        "IgnoreMissingData", boolean, True, "1: labels from outside of the image become -1"
    )

    batched: ClassVar[bool] = True
    leaves_regions: ClassVar[bool] = True

    @property
    def drawn(self) -> bool:
        return True

    def out_dims(self, dims: Dims) -> Dims:
        if min(dims[:2]) < 2:
            raise ParameterError(
                f"an image of {dims[0]}x{dims[1]} pixels cannot be distorted",
                place=self.place(),
                expected="at least 2 pixels on each axis",
            )
        return dims

    @cached_property
    def _kernel(self) -> Reals:
        return gaussian(self.gaussian_size, self.gaussian_size, self.sigma)

    def displacements(self, height: int, width: int, draws: Draws) -> tuple[Reals, Reals]:
        """How far to the right and down the pixels of one image come from: two arrays (height, width)."""
        dx, dy = np.zeros((height, width)), np.zeros((height, width))
        if self.elastic > 0:
            cv2 = opencv(self)
            noise = (2 * draws.field(2 * height * width)[0] - 1).reshape(height, width, 2)
            smooth = cv2.filter2D(noise, -1, self._kernel, borderType=cv2.BORDER_CONSTANT) * self.elastic
            dx, dy = smooth[..., 0], smooth[..., 1]
        # Scale and angle are drawn whether or not they have an effect.
        scale_x, scale_y = (self.scaling / 100 * float(draws.real(-1.0, 1.0)[0]) for _ in range(2))
        angle = math.radians(self.rotation * float(draws.real(-1.0, 1.0)[0]))
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        x, y = x - width // 2, y - height // 2
        if self.scaling > 0:
            dx, dy = dx + scale_x * x, dy + scale_y * y
        if self.rotation > 0:
            cosine, sine = math.cos(angle) - 1, math.sin(angle)
            dx, dy = dx + x * cosine + y * sine, dy + y * cosine - x * sine
        return dx, dy

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        self.out_dims((width, height, channels))
        dx, dy = self.displacements(height, width, draws)
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        x, y = x - dx, y - dy
        inside = (x >= 0) & (x <= width - 2) & (y >= 0) & (y <= height - 2)
        x, y = x.clip(0, width - 2), y.clip(0, height - 2)
        x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        right, down = (x - x0)[..., np.newaxis], (y - y0)[..., np.newaxis]
        image = frame.image
        upper = image[y0, x0] * (1 - right) + image[y0, x0 + 1] * right
        lower = image[y0 + 1, x0] * (1 - right) + image[y0 + 1, x0 + 1] * right
        values = (upper * (1 - down) + lower * down).astype(image.dtype)
        labels = frame.labels
        if frame.labelled_by_pixel:
            labels = labels[y0 + (down[..., 0] >= 0.5), x0 + (right[..., 0] >= 0.5)]
            if self.ignore_missing:
                labels = np.where(inside, labels, IGNORE).astype(np.int32)
        return Frame(values, labels, frame.rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        nothing, result = np.zeros((1, 1), np.int32), np.empty_like(images)
        for index, image in enumerate(images):
            result[index] = self.transform(Frame(image, nothing), draws.image(index)).image
        return result
