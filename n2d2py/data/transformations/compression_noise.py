"""CompressionNoiseTransformation: what JPEG does to an image at a random quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import require_channels, require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.errors import ParameterError
from n2d2py.kinds import integer, list_of
from n2d2py.parameters import parameter
from n2d2py.registry import register

_BEST = 100  # quality without compression


@register("transformation", "CompressionNoiseTransformation")
@dataclass(frozen=True, kw_only=True)
class CompressionNoiseTransformation(ImageTransformation):
    """The image is written as JPEG of the quality 100 - c and read again, in memory; c is drawn for each image."""

    compression: tuple[int, int] = parameter(
        "CompressionRange", list_of(integer, 2), (0, _BEST), "lowest and highest compression, both of 0 to 100"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.compression
        if not 0 <= low <= high <= _BEST:
            raise ParameterError(
                f"CompressionRange={low} {high} is no range of compressions",
                place=self.place("compression"),
                expected="two integers of 0 to 100, the lower one first",
            )

    @property
    def drawn(self) -> bool:
        return True

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "8U")
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        require_channels(self, dims[2], 1, 3)
        return dims

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        height, width, channels = image.shape
        self.out_dims((width, height, channels))
        cv2 = opencv(self)
        quality = _BEST - int(draws.integer(*self.compression)[0])
        _, content = cv2.imencode(".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
