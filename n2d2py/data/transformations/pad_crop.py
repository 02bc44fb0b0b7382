"""PadCropTransformation: a given size, by padding and cropping around the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Dims
from n2d2py.data.transformations.borders import Bordered
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "PadCropTransformation")
@dataclass(frozen=True, kw_only=True)
class PadCropTransformation(Bordered):
    """Pad an axis that is too short, crop one that is too long; labels and regions alike.

    With d = wanted - present size, ceil(d/2) pixels come before and the rest behind (negative: are removed).
    """

    width: int = parameter("Width", unsigned, REQUIRED, "width of the result", unit="pixels")
    height: int = parameter("Height", unsigned, REQUIRED, "height of the result", unit="pixels")
    additive: bool = parameter("AdditiveWH", boolean, False, "1: Width and Height are added to the present size")

    batched: ClassVar[bool] = True

    @property
    def rearranging(self) -> bool:
        return self.border_type not in ("ConstantBorder", "MeanBorder")

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        size = (width + self.width, height + self.height) if self.additive else (self.width, self.height)
        if min(size) < 1:
            raise ParameterError(
                f"an image would be cropped to {size[0]}x{size[1]} pixels",
                place=self.place("width" if size[0] < 1 else "height"),
                expected="at least one pixel on each axis",
            )
        return (*size, channels)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        return self.windowed(frame, *self._window(frame.image.shape))

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        return self.window(images, *self._window(images.shape[1:]))

    def _window(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """First column, first row, columns and rows of what is shown of an image."""
        height, width, channels = shape
        columns, rows, _ = self.out_dims((width, height, channels))
        # floor((present - wanted) / 2) is the negative of ceil((wanted - present) / 2)
        return (width - columns) // 2, (height - rows) // 2, columns, rows
