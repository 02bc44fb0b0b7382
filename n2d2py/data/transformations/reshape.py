"""ReshapeTransformation: the same values in other rows, columns and channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import positive, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "ReshapeTransformation")
@dataclass(frozen=True, kw_only=True)
class ReshapeTransformation(Transformation):
    """Values in their order (rows, then columns, then channels) are given other dimensions.

    Labels of pixels are given as many rows; regions do not move, as in N2D2.
    """

    rows: int = parameter("NbRows", positive, REQUIRED, "rows of the result")
    columns: int = parameter("NbCols", unsigned, 0, "columns of the result, which is checked; 0: whatever they are")
    channels: int = parameter("NbChannels", unsigned, 0, "channels of the result; 0: as before")

    batched: ClassVar[bool] = True
    leaves_regions: ClassVar[bool] = True

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        planes = self.channels or channels
        columns, rest = divmod(width * height * channels, self.rows * planes)
        if rest or (self.columns and columns != self.columns):
            wanted = f"{self.columns or '?'}x{self.rows}x{planes}"
            raise ParameterError(
                f"an image of {width}x{height}x{channels} cannot become one of {wanted}",
                place=self.place("rows"),
                expected=f"NbRows x NbCols x NbChannels = {width * height * channels}",
            )
        return (columns, self.rows, planes)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        image, labels = self._reshaped(frame.image[None])[0], frame.labels
        if frame.labelled_by_pixel:
            if labels.size % self.rows:
                raise ParameterError(
                    f"{labels.size} labels of pixels cannot stand in {self.rows} rows",
                    place=self.place("rows"),
                    expected="a divisor of the number of labels",
                )
            labels = labels.reshape(self.rows, -1)
        return Frame(image, labels, frame.rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        return self._reshaped(images)

    def _reshaped(self, images: NDArray[Any]) -> NDArray[Any]:
        count, height, width, channels = images.shape
        columns, rows, planes = self.out_dims((width, height, channels))
        return images.reshape(count, rows, columns, planes)
