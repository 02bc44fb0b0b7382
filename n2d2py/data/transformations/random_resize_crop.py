"""RandomResizeCropTransformation: a random part of the image, resized to a given size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.partition import half_up
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.rescale import RESCALED
from n2d2py.errors import ParameterError
from n2d2py.kinds import positive, real_between, unsigned_real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_ATTEMPTS = 10
_positive_real = real_between(0, math.inf, low_open=True)


@register("transformation", "RandomResizeCropTransformation")
@dataclass(frozen=True, kw_only=True)
class RandomResizeCropTransformation(Transformation):
    """A part with a random share of the area and a random ratio of width to height, resized to Width x Height.

    Ten times a share a of the area A is drawn uniformly and a ratio r uniformly in its logarithm, until a part of
    round(sqrt(a A r)) x round(sqrt(a A / r)) pixels fits into the image, where its place is drawn. Else the part
    with the nearest possible ratio is taken from the top left corner. Szegedy et al., "Going deeper with
    convolutions", CVPR 2015, section 6. Labels and regions do not move, as in N2D2.
    """

    width: int = parameter("Width", positive, REQUIRED, "width of the result", unit="pixels")
    height: int = parameter("Height", positive, REQUIRED, "height of the result", unit="pixels")
    scale_min: float = parameter("ScaleMin", unsigned_real, 1.0, "lowest share of the area")
    scale_max: float = parameter("ScaleMax", unsigned_real, 1.0, "highest share of the area")
    ratio_min: float = parameter("RatioMin", _positive_real, 1.0, "lowest ratio of width to height")
    ratio_max: float = parameter("RatioMax", _positive_real, 1.0, "highest ratio of width to height")

    batched: ClassVar[bool] = True
    leaves_regions: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale_min > 1:
            raise ParameterError(
                f"ScaleMin={self.scale_min:g} is more than the whole image",
                place=self.place("scale_min"),
                expected="a share of at most 1",
            )

    @property
    def drawn(self) -> bool:
        return True

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, *RESCALED)
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        return (self.width, self.height, dims[2])

    def parts(self, dims: Dims, draws: Draws) -> NDArray[np.int64]:
        """Left, top, width and height of the part of each image of ``dims``: int64 (count, 4)."""
        width, height, _ = dims
        result: list[tuple[int, int, int, int] | None] = [None] * len(draws)
        for _ in range(_ATTEMPTS):
            # Each attempt takes four numbers, whatever came of the others, so that streams stay in step. Python's
            # numbers are faster here than arrays, since most often there is one image.
            for index, drawn in enumerate(draws.field(4).tolist()):
                if result[index] is None:
                    result[index] = self._attempt(width, height, *drawn)
            if None not in result:
                break
        whole = (0, 0, *self._whole(width, height))
        return np.array([part or whole for part in result], np.int64).reshape(-1, 4)

    def _attempt(
        self, width: int, height: int, area: float, ratio: float, x: float, y: float
    ) -> tuple[int, int, int, int] | None:
        """The part that four numbers in [0, 1) stand for; None if it is not inside of the image."""
        area = (self.scale_min + area * (self.scale_max - self.scale_min)) * (width * height)
        low, high = math.log(self.ratio_min), math.log(self.ratio_max)
        ratio = math.exp(low + ratio * (high - low))
        columns, rows = half_up(math.sqrt(area * ratio)), half_up(math.sqrt(area / ratio))
        if not (0 < columns <= width and 0 < rows <= height):
            return None
        return int(x * (width - columns + 1)), int(y * (height - rows + 1)), columns, rows

    def _whole(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the part if no attempt fits."""
        present = width / height
        if present < self.ratio_min:
            return width, max(half_up(width / self.ratio_min), 1)
        if present > self.ratio_max:
            return max(half_up(height * self.ratio_max), 1), height
        return width, height

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        if frame.labelled_by_pixel:
            self.warn_once("labels of pixels do not move with RandomResizeCropTransformation")
        return super().transform(frame, draws)

    def resized(self, part: NDArray[Any]) -> NDArray[Any]:
        """A part of an image, (height, width, channels), in the size of the result."""
        cv2 = opencv(self)
        require_depth(self, part.dtype, *RESCALED)
        pixels = cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return pixels.reshape(self.height, self.width, part.shape[2])

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        _, height, width, channels = images.shape
        parts = self.parts((width, height, channels), draws).tolist()
        if len(images) == 1:  # without a copy: this is how files are read
            x, y, columns, rows = parts[0]
            return self.resized(images[0, y : y + rows, x : x + columns])[np.newaxis]
        result = np.empty((len(images), self.height, self.width, channels), images.dtype)
        for image, made, (x, y, columns, rows) in zip(images, result, parts, strict=True):
            made[...] = self.resized(image[y : y + rows, x : x + columns])
        return result
