"""FlipTransformation: mirror the image, always or every other time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.opencv import opencv
from n2d2py.kinds import boolean
from n2d2py.parameters import parameter
from n2d2py.registry import register

_CODES = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}
"""OpenCV's numbers of the flips: horizontal, vertical."""


@register("transformation", "FlipTransformation")
@dataclass(frozen=True, kw_only=True)
class FlipTransformation(Transformation):
    """Mirror left and right, or top and bottom; labels and regions alike.

    A random flip takes the place of the fixed one of its axis and is done with probability 1/2.
    """

    horizontal: bool = parameter("HorizontalFlip", boolean, False, "1: left and right are exchanged")
    vertical: bool = parameter("VerticalFlip", boolean, False, "1: top and bottom are exchanged")
    random_horizontal: bool = parameter("RandomHorizontalFlip", boolean, False, "1: with probability 1/2")
    random_vertical: bool = parameter("RandomVerticalFlip", boolean, False, "1: with probability 1/2")

    batched: ClassVar[bool] = True

    @property
    def rearranging(self) -> bool:
        return True

    @property
    def drawn(self) -> bool:
        return self.random_horizontal or self.random_vertical

    def flips(self, draws: Draws) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each image is flipped horizontally, and whether it is vertically."""
        count = len(draws)
        horizontal = draws.truth(0.5) if self.random_horizontal else np.full(count, self.horizontal)
        vertical = draws.truth(0.5) if self.random_vertical else np.full(count, self.vertical)
        return horizontal, vertical

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        horizontal, vertical = (bool(flips[0]) for flips in self.flips(draws))
        if not horizontal and not vertical:
            return frame
        rows, columns = slice(None, None, -1 if vertical else 1), slice(None, None, -1 if horizontal else 1)
        height, width, _ = frame.image.shape
        labels = frame.labels[rows, columns] if frame.labelled_by_pixel else frame.labels
        rois = tuple(roi.flipped(width, height, horizontal, vertical) for roi in frame.rois)
        return Frame(frame.image[rows, columns], labels, rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if not self.drawn:
            rows, columns = (-1 if self.vertical else 1), (-1 if self.horizontal else 1)
            return images[:, ::rows, ::columns]
        horizontal, vertical = self.flips(draws)
        cv2 = opencv(self)
        planes = images.transpose(0, 3, 1, 2)
        if planes.flags.c_contiguous:
            # All rows of an image lie one behind the other, so mirroring them at once mirrors each channel.
            count, channels, height, width = planes.shape
            result = planes.copy()
            rows = result.reshape(count, channels * height, width)
            for index in np.flatnonzero(horizontal).tolist():
                cv2.flip(rows[index], 1, rows[index])
            for index in np.flatnonzero(vertical).tolist():
                result[index] = result[index, :, ::-1].copy()
            return result.transpose(0, 2, 3, 1)
        result = np.ascontiguousarray(images).copy()
        for index, code in ((index, _CODES[pair]) for index, pair in enumerate(zip(horizontal, vertical, strict=True))):
            if code is not None:
                result[index] = cv2.flip(result[index], code).reshape(result[index].shape)
        return result
