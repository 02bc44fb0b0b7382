"""FilterTransformation: correlation with a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.kernels import FilterKernel
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import real
from n2d2py.parameters import REQUIRED, choice, parameter
from n2d2py.registry import register


@register("transformation", "FilterTransformation")
@dataclass(frozen=True, kw_only=True)
class FilterTransformation(ImageTransformation):
    """Each pixel becomes the sum of its surrounding weighted by the kernel, which is not mirrored.

    Outside of the image abc stands cb|abc|ba. Integer depths are rounded and clipped.
    """

    kernel: FilterKernel = choice("Kernel", "kernel", REQUIRED, "the weights")
    orientation: float = parameter("Orientation", real, 0.0, "a note on the kernel, without effect", unit="degrees")

    @cached_property
    def _matrix(self) -> NDArray[np.float64]:
        return self.kernel.matrix()

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        require_depth(self, dtype, "8U", "16U", "16S", "32F", "64F")
        return dtype

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        cv2 = opencv(self)
        return cv2.filter2D(image, -1, self._matrix, borderType=cv2.BORDER_REFLECT_101)
