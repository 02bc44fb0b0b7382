"""What stands outside of an image, for transformations that show more than it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.rois import cropped
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.depth import saturated
from n2d2py.kinds import list_of, one_of, real
from n2d2py.parameters import parameter

_OUTSIDE = -1  # index of a pixel that is not of the image
_MODES = ("ConstantBorder", "ReplicateBorder", "ReflectBorder", "WrapBorder", "MinusOneReflectBorder", "MeanBorder")
_CONSTANT = ("ConstantBorder", "MeanBorder")


@dataclass(frozen=True, kw_only=True)
class Bordered(Transformation):
    """A transformation that may show pixels outside of the image."""

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

    def window(self, images: NDArray[Any], left: int, top: int, columns: int, rows: int) -> NDArray[Any]:
        """The same window of images (count, height, width, channels), which may reach beyond them."""
        _, height, width, _ = images.shape
        if min(left, top) >= 0 and left + columns <= width and top + rows <= height:
            return images[:, top : top + rows, left : left + columns]
        y, x = _indices(self.border_type, top, rows, height), _indices(self.border_type, left, columns, width)
        result = np.take(np.take(images, y, axis=1), x, axis=2)
        outside = (y == _OUTSIDE)[:, np.newaxis] | (x == _OUTSIDE)
        if outside.any():
            result[:, outside] = self.outside(images)[:, np.newaxis]
        return result

    def outside(self, images: NDArray[Any]) -> NDArray[Any]:
        """The value of each channel outside of each image: (count, channels) or (1, channels)."""
        if self.border_type == "MeanBorder":
            values = images.mean(axis=(1, 2), dtype=np.float64)
        else:
            channels = images.shape[-1]
            values = np.array([(*self.border_value, *[0.0] * channels)[:channels]])
        return saturated(values, images.dtype)

    def windowed(self, frame: Frame, left: int, top: int, columns: int, rows: int) -> Frame:
        """The window of a stimulus: its image, its labels (-1 outside) and its regions."""
        image = self.window(frame.image[np.newaxis], left, top, columns, rows)[0]
        labels = frame.labels
        if frame.labelled_by_pixel:
            labels = label_window(labels, left, top, columns, rows)
        return Frame(image, labels, cropped(frame.rois, left, top, columns, rows), frame.stimulus)


def label_window(labels: NDArray[np.int32], left: int, top: int, columns: int, rows: int) -> NDArray[np.int32]:
    """A window of labels (height, width), -1 outside of them."""
    result = np.full((rows, columns), IGNORE, np.int32)
    height, width = labels.shape
    y0, y1 = max(top, 0), min(top + rows, height)
    x0, x1 = max(left, 0), min(left + columns, width)
    if y0 < y1 and x0 < x1:
        result[y0 - top : y1 - top, x0 - left : x1 - left] = labels[y0:y1, x0:x1]
    return result


def _indices(border: str, first: int, count: int, size: int) -> NDArray[np.int64]:
    """For each of ``count`` pixels from ``first`` on the index, among ``size``, of the pixel that it shows."""
    positions = np.arange(first, first + count)
    if border in _CONSTANT:
        return np.where((positions >= 0) & (positions < size), positions, _OUTSIDE)
    if border == "ReplicateBorder":
        return positions.clip(0, size - 1)
    if border == "WrapBorder":
        return positions % size
    if border == "ReflectBorder":
        positions %= 2 * size
        return np.minimum(positions, 2 * size - 1 - positions)
    period = max(2 * size - 2, 1)
    positions %= period
    return np.minimum(positions, period - positions) if size > 1 else positions
