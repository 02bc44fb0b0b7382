"""SliceExtractionTransformation: a slice of the image, at a fixed or at a random place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.partition import half_up
from n2d2py.data.transformations.base import Dims
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.slices import Sliced
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, real, unsigned, unsigned_real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "SliceExtractionTransformation")
@dataclass(frozen=True, kw_only=True)
class SliceExtractionTransformation(Sliced):
    """Width x Height pixels from (OffsetX, OffsetY); with RandomOffset, from anywhere inside the image.

    A random slice is drawn anew each time a stimulus is learned, which shifts what it shows. With RandomScaling
    it is Width s x Height s pixels, then rescaled to Width x Height; with RandomRotation what it shows is turned
    clockwise.
    """

    width: int = parameter("Width", unsigned, REQUIRED, "width of the slice; 0: that of the image", unit="pixels")
    height: int = parameter("Height", unsigned, REQUIRED, "height of the slice; 0: that of the image", unit="pixels")
    offset_x: int = parameter("OffsetX", unsigned, 0, "first column", unit="pixels")
    offset_y: int = parameter("OffsetY", unsigned, 0, "first row", unit="pixels")
    random_offset_x: bool = parameter("RandomOffsetX", boolean, False, "1: the first column is drawn")
    random_offset_y: bool = parameter("RandomOffsetY", boolean, False, "1: the first row is drawn")
    random_rotation: bool = parameter("RandomRotation", boolean, False, "1: the angle is drawn")
    random_rotation_range: tuple[float, float] = parameter(
        "RandomRotationRange", list_of(real, 2), (0.0, 360.0), "lowest and highest angle", unit="degrees"
    )
    random_scaling: bool = parameter("RandomScaling", boolean, False, "1: the size of the slice is drawn")
    random_scaling_range: tuple[float, float] = parameter(
        "RandomScalingRange", list_of(unsigned_real, 2), (0.8, 1.2), "lowest and highest factor of the size"
    )
    allow_padding: bool = parameter("AllowPadding", boolean, False, "1: the slice may reach beyond the image")

    batched: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.random_scaling and min(self.random_scaling_range) <= 0:
            raise ParameterError(
                "RandomScalingRange begins at 0",
                place=self.place("random_scaling_range"),
                expected="two factors above 0",
            )

    @property
    def rearranging(self) -> bool:
        return not (self.random_rotation or self.random_scaling or self.allow_padding)

    @property
    def drawn(self) -> bool:
        return self.random_offset_x or self.random_offset_y or self.random_rotation or self.random_scaling

    def out_dims(self, dims: Dims) -> Dims | None:
        width, height, channels = dims
        if self.random_scaling:
            return (self.width, self.height, channels) if self.width and self.height else None
        size = (self.width or width, self.height or height)
        fixed = (0 if self.random_offset_x else self.offset_x, 0 if self.random_offset_y else self.offset_y)
        self._check(dims, size, fixed)
        return (*size, channels)

    def _check(self, dims: Dims, size: tuple[int, int], offset: tuple[int, int]) -> None:
        width, height, _ = dims
        if self.allow_padding or (size[0] + offset[0] <= width and size[1] + offset[1] <= height):
            return
        raise ParameterError(
            f"a slice of {size[0]}x{size[1]} pixels at {offset[0]},{offset[1]} is not inside an image of "
            f"{width}x{height}",
            place=self.place("width"),
            expected="Width + OffsetX and Height + OffsetY within the image",
            remedy="AllowPadding=1 lets it reach beyond the image",
        )

    def offsets(self, dims: Dims, draws: Draws) -> NDArray[np.int64]:
        """First column and first row of a slice of each image of ``dims``: int64 (count, 2)."""
        if self.random_scaling:
            return np.stack(self._draw(dims, draws)[2:4], axis=1)
        columns, rows = self.width or dims[0], self.height or dims[1]
        found = np.empty((len(draws), 2), np.int64)
        found[:, 0] = draws.integer(0, max(dims[0] - columns, 0)) if self.random_offset_x else self.offset_x
        found[:, 1] = draws.integer(0, max(dims[1] - rows, 0)) if self.random_offset_y else self.offset_y
        return found

    def _draw(self, dims: Dims, draws: Draws) -> tuple[NDArray[Any], ...]:
        """Width and height of the slice, first column and row, angle: an array with one number an image each."""
        width, height, _ = dims
        count = len(draws)
        if self.random_scaling:
            scaling = draws.real(*self.random_scaling_range)
            columns, rows = _sizes(self.width, width, scaling), _sizes(self.height, height, scaling)
        else:
            columns, rows = np.full(count, self.width or width), np.full(count, self.height or height)
        x = draws.integer(0, np.maximum(width - columns, 0)) if self.random_offset_x else None
        y = draws.integer(0, np.maximum(height - rows, 0)) if self.random_offset_y else None
        angles = draws.real(*self.random_rotation_range) if self.random_rotation else np.zeros(count)
        return (
            columns,
            rows,
            np.full(count, self.offset_x) if x is None else x,
            np.full(count, self.offset_y) if y is None else y,
            angles,
        )

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        dims = (width, height, channels)
        if not self.drawn:
            columns, rows = self.width or width, self.height or height
            self._check(dims, (columns, rows), (self.offset_x, self.offset_y))
            return self.windowed(frame, self.offset_x, self.offset_y, columns, rows)
        drawn = self._draw(dims, draws)
        columns, rows, x, y = (int(values[0]) for values in drawn[:4])
        self._check(dims, (columns, rows), (x, y))
        if self.random_rotation:
            result = self.turned(frame, x, y, columns, rows, float(drawn[4][0]))
        else:
            result = self.windowed(frame, x, y, columns, rows)
        return self._resized(result) if self.random_scaling else result

    def _resized(self, frame: Frame) -> Frame:
        """To Width x Height; an axis with 0 keeps the size that the slice has."""
        rows, columns, _ = frame.image.shape
        size = (self.width or columns, self.height or rows)
        if size == (columns, rows):
            return frame
        cv2 = opencv(self)
        image = cv2.resize(frame.image, size, interpolation=cv2.INTER_LINEAR)
        labels = frame.labels
        if frame.labelled_by_pixel:
            labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        rois = tuple(roi.rescaled(size[0] / columns, size[1] / rows) for roi in frame.rois)
        return Frame(image.reshape(size[1], size[0], -1), labels, rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        _, height, width, channels = images.shape
        dims = (width, height, channels)
        size = self.out_dims(dims)
        if size is None:
            raise ParameterError(
                "RandomScaling=1 of slices of the size of the image gives each image a size of its own",
                place=self.place("random_scaling"),
                expected="Width and Height",
            )
        columns, rows, _ = size
        if not self.drawn:
            return self.window(images, self.offset_x, self.offset_y, columns, rows)
        result = np.empty((len(images), rows, columns, channels), images.dtype)
        if self.random_rotation or self.random_scaling:
            nothing = np.zeros((1, 1), np.int32)
            for index, image in enumerate(images):
                result[index] = self.transform(Frame(image, nothing), draws.image(index)).image
            return result
        offsets = self.offsets(dims, draws)
        if rows <= height and columns <= width and not self.allow_padding:
            self._check(dims, (columns, rows), (int(offsets[:, 0].max(initial=0)), int(offsets[:, 1].max(initial=0))))
            windows = np.lib.stride_tricks.sliding_window_view(images, (rows, columns), axis=(1, 2))
            planes = windows[np.arange(len(images)), offsets[:, 1], offsets[:, 0]]
            return planes.transpose(0, 2, 3, 1)
        for index, (x, y) in enumerate(offsets.tolist()):
            result[index] = self.window(images[index : index + 1], x, y, columns, rows)[0]
        return result


def _sizes(wanted: int, present: int, scaling: NDArray[np.float64]) -> NDArray[np.int64]:
    """The size of each slice along an axis."""
    if wanted == 0:
        return np.array([half_up(int(present / factor) * factor) for factor in scaling.tolist()], np.int64)
    return np.array([half_up(wanted * factor) for factor in scaling.tolist()], np.int64)
