"""SliceExtractionTransformation: a slice of the image, at a fixed or at a random place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.random import Generator
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "SliceExtractionTransformation")
@dataclass(frozen=True, kw_only=True)
class SliceExtractionTransformation(Transformation):
    """Width x Height pixels from (OffsetX, OffsetY); with RandomOffset, from anywhere inside the image.

    A random slice is drawn anew each time a stimulus is learned, which shifts what it shows.
    """

    width: int = parameter("Width", unsigned, REQUIRED, "width of the slice; 0: that of the image", unit="pixels")
    height: int = parameter("Height", unsigned, REQUIRED, "height of the slice; 0: that of the image", unit="pixels")
    offset_x: int = parameter("OffsetX", unsigned, 0, "first column", unit="pixels")
    offset_y: int = parameter("OffsetY", unsigned, 0, "first row", unit="pixels")
    random_offset_x: bool = parameter("RandomOffsetX", boolean, False, "1: the first column is drawn")
    random_offset_y: bool = parameter("RandomOffsetY", boolean, False, "1: the first row is drawn")
    random_rotation: bool = parameter("RandomRotation", boolean, False, "not available in this version")
    random_scaling: bool = parameter("RandomScaling", boolean, False, "not available in this version")
    allow_padding: bool = parameter("AllowPadding", boolean, False, "not available in this version")

    def __post_init__(self) -> None:
        for name, key in (
            ("random_rotation", "RandomRotation"),
            ("random_scaling", "RandomScaling"),
            ("allow_padding", "AllowPadding"),
        ):
            if getattr(self, name):
                raise ParameterError(f"{key}=1 is not available in this version of n2d2py", place=self.place(name))
        if self.drawn and self.sets != ("Learn",):
            raise ParameterError(
                f"a random slice for {self.apply_to} would test on random images",
                place=self.place("random_offset_x") or self.place("random_offset_y"),
                expected="ApplyTo=LearnOnly",
            )

    @property
    def drawn(self) -> bool:
        return self.random_offset_x or self.random_offset_y

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        size = (self.width or width, self.height or height)
        fixed = (0 if self.random_offset_x else self.offset_x, 0 if self.random_offset_y else self.offset_y)
        if size[0] + fixed[0] > width or size[1] + fixed[1] > height:
            raise ParameterError(
                f"a slice of {size[0]}x{size[1]} pixels at {fixed[0]},{fixed[1]} is not inside an image of "
                f"{width}x{height}",
                place=self.place("width"),
                expected="Width + OffsetX and Height + OffsetY within the image",
            )
        return (*size, channels)

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        _, height, width, channels = images.shape
        columns, rows, _ = self.out_dims((width, height, channels))
        return images[:, self.offset_y : self.offset_y + rows, self.offset_x : self.offset_x + columns]

    def middle(self, dims: Dims) -> tuple[int, int]:
        """First column and first row of the slice of an image of ``dims`` that takes the place of a drawn one."""
        width, height, _ = dims
        columns, rows, _ = self.out_dims(dims)
        return (
            (width - columns) // 2 if self.random_offset_x else self.offset_x,
            (height - rows) // 2 if self.random_offset_y else self.offset_y,
        )

    def offsets(self, dims: Dims, count: int, generator: Generator) -> NDArray[np.int64]:
        """First column and first row of ``count`` slices of images of ``dims``: int64 (count, 2)."""
        width, height, _ = dims
        columns, rows, _ = self.out_dims(dims)
        free = [
            width - columns + 1 if self.random_offset_x else 1,
            height - rows + 1 if self.random_offset_y else 1,
        ]
        first = [0 if self.random_offset_x else self.offset_x, 0 if self.random_offset_y else self.offset_y]
        return generator.below(np.tile(np.array(free, np.int64), count)).reshape(count, 2) + np.array(first)
