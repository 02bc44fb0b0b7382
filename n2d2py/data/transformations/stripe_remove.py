"""StripeRemoveTransformation: the image without some of its columns or rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import Kind, boolean, one_of, positive, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_axis = Kind("0 (columns) or 1 (rows)", lambda text, place: int(one_of("0", "1").parse(text, place)))
_FROM_OFFSET = -1  # StepOffset that is not given


@register("transformation", "StripeRemoveTransformation")
@dataclass(frozen=True, kw_only=True)
class StripeRemoveTransformation(Transformation):
    """In iteration i, Length columns (or rows) from Offset + i StepOffset on are taken out of what is left.

    With RandomOffset=1 each stripe begins anywhere inside of what is left. Labels of pixels follow; regions do
    not move, as in N2D2.
    """

    axis: int = parameter("Axis", _axis, 0, "0: columns, 1: rows")
    offset: int = parameter("Offset", unsigned, REQUIRED, "first column or row of the first stripe", unit="pixels")
    length: int = parameter("Length", positive, REQUIRED, "columns or rows of a stripe", unit="pixels")
    random_offset: bool = parameter("RandomOffset", boolean, False, "1: the first column or row is drawn")
    iterations: int = parameter("NbIterations", positive, 1, "stripes")
    step: int = parameter(
        "StepOffset", unsigned, _FROM_OFFSET, "from stripe to stripe; not given: as Offset", unit="pixels"
    )

    batched: ClassVar[bool] = True
    leaves_regions: ClassVar[bool] = True

    @property
    def drawn(self) -> bool:
        return self.random_offset

    def out_dims(self, dims: Dims) -> Dims:
        size = [dims[0], dims[1]]
        for start in self._starts(dims, None):
            left = size[self.axis]
            if start < 0 or start + self.length > left or left == self.length:
                words = "rows" if self.axis else "columns"
                raise ParameterError(
                    f"a stripe of {self.length} from {start} on cannot be taken out of {left} {words}",
                    place=self.place("length"),
                    expected=f"stripes inside the image, and some {words} that are left",
                )
            size[self.axis] = left - self.length
        return (size[0], size[1], dims[2])

    def _starts(self, dims: Dims, draws: Draws | None) -> list[int]:
        """First column or row of each stripe of an image; without draws, that of a stripe at the beginning."""
        step = self.offset if self.step == _FROM_OFFSET else self.step
        if not self.random_offset:
            return [self.offset + index * step for index in range(self.iterations)]
        if draws is None:
            return [0] * self.iterations
        left = dims[self.axis]
        return [int(draws.integer(0, left - (index + 1) * self.length)[0]) for index in range(self.iterations)]

    def _kept(self, dims: Dims, draws: Draws) -> NDArray[np.int64]:
        """Indices of the columns or rows that are left."""
        self.out_dims(dims)
        kept = np.arange(dims[self.axis])
        for start in self._starts(dims, draws):
            kept = np.delete(kept, slice(start, start + self.length))
        return kept

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        kept, axis = self._kept((width, height, channels), draws), 0 if self.axis else 1
        labels = frame.labels.take(kept, axis) if frame.labelled_by_pixel else frame.labels
        return Frame(frame.image.take(kept, axis), labels, frame.rois, frame.stimulus)

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        _, height, width, channels = images.shape
        dims, axis = (width, height, channels), 0 if self.axis else 1
        if not self.random_offset:
            return images.take(self._kept(dims, draws), axis + 1)
        columns, rows, _ = self.out_dims(dims)
        result = np.empty((len(images), rows, columns, channels), images.dtype)
        for index, image in enumerate(images):
            result[index] = image.take(self._kept(dims, draws.image(index)), axis)
        return result
