"""MorphologyTransformation and MorphologicalReconstructionTransformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.structuring import Structuring
from n2d2py.kinds import one_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_OPERATIONS = {
    "Erode": "MORPH_ERODE",
    "Dilate": "MORPH_DILATE",
    "Opening": "MORPH_OPEN",
    "Closing": "MORPH_CLOSE",
    "Gradient": "MORPH_GRADIENT",
    "TopHat": "MORPH_TOPHAT",
    "BlackHat": "MORPH_BLACKHAT",
}
_RECONSTRUCTIONS = (
    *("ReconstructionByErosion", "ReconstructionByDilation"),
    *("OpeningByReconstruction", "ClosingByReconstruction"),
)


@register("transformation", "MorphologyTransformation")
@dataclass(frozen=True, kw_only=True)
class MorphologyTransformation(Structuring):
    """Gray-scale morphology: the lowest (Erode) or highest (Dilate) value below a structuring element, and what is
    made of them. Serra, "Image Analysis and Mathematical Morphology", 1982.
    """

    operation: str = parameter("Operation", one_of(*_OPERATIONS), REQUIRED, "what is done")

    def morph(self, values: NDArray[Any]) -> NDArray[Any]:
        cv2 = opencv(self)
        operation = getattr(cv2, _OPERATIONS[self.operation])
        return cv2.morphologyEx(values, operation, self.element(), iterations=self.iterations)


@register("transformation", "MorphologicalReconstructionTransformation")
@dataclass(frozen=True, kw_only=True)
class MorphologicalReconstructionTransformation(Structuring):
    """Geodesic dilation below the image, or erosion above it, of a marker until nothing changes.

    OpeningByReconstruction begins with NbIterations erosions of the image, ClosingByReconstruction with as many
    dilations. ReconstructionByDilation begins with the border of the image and its lowest value inside, which
    keeps what touches the border; ReconstructionByErosion with the border and its highest value inside, which
    fills holes. Vincent, "Morphological grayscale reconstruction in image analysis", IEEE Trans. Image Processing
    2(2), 1993; Soille, "Morphological Image Analysis", 2003, section 6.3.
    """

    operation: str = parameter("Operation", one_of(*_RECONSTRUCTIONS), REQUIRED, "what is done")

    def morph(self, values: NDArray[Any]) -> NDArray[Any]:
        cv2 = opencv(self)
        element = self.element()
        if self.operation == "OpeningByReconstruction":
            marker = cv2.erode(values, element, iterations=self.iterations).reshape(values.shape)
        elif self.operation == "ClosingByReconstruction":
            marker = cv2.dilate(values, element, iterations=self.iterations).reshape(values.shape)
        else:
            dilates = self.operation == "ReconstructionByDilation"
            marker = values.copy()
            marker[1:-1, 1:-1] = values.min() if dilates else values.max()
        if self.operation in ("OpeningByReconstruction", "ReconstructionByDilation"):
            step, bound = cv2.dilate, cv2.min
        else:
            step, bound = cv2.erode, cv2.max
        while True:
            following = bound(step(marker, element).reshape(values.shape), values).reshape(values.shape)
            if np.array_equal(following, marker):
                return marker
            marker = following
