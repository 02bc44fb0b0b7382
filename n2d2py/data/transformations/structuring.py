"""What morphological transformations have in common: the structuring element, and labels in place of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.depth import require_depth
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean, integer, list_of, one_of, positive
from n2d2py.parameters import REQUIRED, parameter

_SHAPES = {"Rectangular": "MORPH_RECT", "Elliptic": "MORPH_ELLIPSE", "Cross": "MORPH_CROSS"}


@dataclass(frozen=True, kw_only=True)
class Structuring(Transformation):
    """A transformation by a structuring element, of the image or of the labels of its pixels.

    With labels in ``Label``, each of them in turn is a mask that is transformed; the pixels of the result get
    the label, the others keep theirs.
    """

    size: int = parameter("Size", positive, REQUIRED, "side of the structuring element", unit="pixels")
    apply_to_labels: bool = parameter("ApplyToLabels", boolean, False, "1: labels are transformed, not the image")
    shape: str = parameter("Shape", one_of(*_SHAPES), "Rectangular", "shape of the structuring element")
    iterations: int = parameter("NbIterations", positive, 1, "times that it is applied")
    label: tuple[int, ...] = parameter("Label", list_of(integer), (), "labels that are transformed; none: all values")
    ignore_difference: bool = parameter(
        "LabelsIgnoreDiff", boolean, False, "1: labels that change, or would, become -1"
    )

    batched: ClassVar[bool] = True

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        if not self.apply_to_labels:
            require_depth(self, dtype, "8U", "16U", "16S", "32F", "64F")
        return dtype

    def element(self) -> NDArray[np.uint8]:
        """The structuring element: (Size, Size)."""
        cv2 = opencv(self)
        return cv2.getStructuringElement(getattr(cv2, _SHAPES[self.shape]), (self.size, self.size))

    def morph(self, values: NDArray[Any]) -> NDArray[Any]:
        """The transformation of an image, or of the labels of one as reals."""
        raise NotImplementedError

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        if not self.apply_to_labels:
            return frame.with_image(self._image(frame.image))
        labels = frame.labels.copy()
        changed = np.zeros(labels.shape, np.bool_)
        if not self.label:
            # OpenCV has no morphology of int32; every label up to 2^24 is exact in float32.
            labels = self.morph(labels.astype(np.float32)).astype(np.int32)
            changed = labels != frame.labels
        for label in self.label:
            mask = labels == label
            morphed = self.morph(mask.astype(np.uint8)) != 0
            labels[morphed] = label
            changed |= mask != morphed
        if self.ignore_difference:
            labels[changed] = IGNORE
        return Frame(frame.image, labels, frame.rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if self.apply_to_labels:
            return images
        result = np.empty_like(images)
        for image, morphed in zip(images, result, strict=True):
            morphed[...] = self._image(image)
        return result

    def _image(self, image: NDArray[Any]) -> NDArray[Any]:
        self.out_dtype(image.dtype)
        return self.morph(image).reshape(image.shape)
