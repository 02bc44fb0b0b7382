"""LabelSliceExtractionTransformation: a slice around a pixel of a label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.paths import path
from n2d2py.data.transformations.base import Dims
from n2d2py.data.transformations.label_choice import RANDOM, centres, draw_label, draw_pixel, labels_of
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.slices import Sliced
from n2d2py.errors import DataError, ParameterError
from n2d2py.kinds import boolean, integer, list_of, positive, real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("transformation", "LabelSliceExtractionTransformation")
@dataclass(frozen=True, kw_only=True)
class LabelSliceExtractionTransformation(Sliced):
    """Width x Height pixels around one that is drawn among those of a label.

    With m = SlicesMargin, the pixels of the label are eroded by a rectangle of (Width + 2m) x (Height + 2m), so
    that the whole slice has the label; with a negative side they are dilated by it. If none is left, the slice is
    drawn anywhere and its label is -1.
    """

    width: int = parameter("Width", positive, REQUIRED, "width of the slice", unit="pixels")
    height: int = parameter("Height", positive, REQUIRED, "height of the slice", unit="pixels")
    label: int = parameter("Label", integer, RANDOM, "label of the slice; -1: one of the image, drawn")
    cache_path: str = parameter("CachePath", path, "", "read for N2D2's files; has no effect")
    margin: int = parameter("SlicesMargin", integer, 0, "margin of the label around the slice", unit="pixels")
    keep_composite: bool = parameter("KeepComposite", boolean, False, "1: labels of pixels are kept")
    random_rotation: bool = parameter("RandomRotation", boolean, False, "1: the angle is drawn")
    random_rotation_range: tuple[float, float] = parameter(
        "RandomRotationRange", list_of(real, 2), (0.0, 360.0), "lowest and highest angle", unit="degrees"
    )
    allow_padding: bool = parameter("AllowPadding", boolean, False, "1: the slice may reach beyond the image")
    ignore_no_valid: bool = parameter(
        "IgnoreNoValid", boolean, True, "0: an image without a pixel to slice around is an error"
    )
    exclude_labels: tuple[int, ...] = parameter("ExcludeLabels", list_of(integer), (), "labels that are not drawn")

    @property
    def drawn(self) -> bool:
        return True

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        if not self.allow_padding and (self.width > width or self.height > height):
            raise ParameterError(
                f"a slice of {self.width}x{self.height} pixels is not inside an image of {width}x{height}",
                place=self.place("width" if self.width > width else "height"),
                expected="Width and Height within the image",
                remedy="AllowPadding=1 lets it reach beyond the image",
            )
        return (self.width, self.height, channels)

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        self.out_dims((width, height, channels))
        labels = labels_of(frame, self)
        candidates = np.where(np.isin(labels, self.exclude_labels), IGNORE, labels).astype(np.int32)
        drawn = draw_label(candidates, None, draws)
        label = drawn if self.label == RANDOM else self.label
        pixel = None
        if label is not None:
            mask = self._valid(labels == label)
            inside = mask & centres(labels.shape, self.width, self.height)
            pixel = draw_pixel(mask if self.allow_padding and not inside.any() else inside, draws)
        if pixel is None:
            self._miss(frame)
            label = IGNORE
            left = int(draws.integer(0, max(width - self.width, 0))[0])
            top = int(draws.integer(0, max(height - self.height, 0))[0])
        else:
            left, top = pixel[0] - self.width // 2, pixel[1] - self.height // 2
        if self.random_rotation:
            angle = float(draws.real(*self.random_rotation_range)[0])
            result = self.turned(frame, left, top, self.width, self.height, angle)
        else:
            result = self.windowed(frame, left, top, self.width, self.height)
        if self.keep_composite:
            return result
        return replace(result, labels=np.full((1, 1), label, np.int32))

    def _valid(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The pixels around which a slice has the label."""
        columns, rows = self.width + 2 * self.margin, self.height + 2 * self.margin
        cv2 = opencv(self)
        values: NDArray[Any] = mask.astype(np.uint8)
        outside = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
        if columns > 0 and rows > 0:
            values = cv2.erode(values, np.ones((rows, columns), np.uint8), **outside)
        elif columns < 0 and rows < 0:
            values = cv2.dilate(values, np.ones((-rows, -columns), np.uint8), **outside)
        return values != 0

    def _miss(self, frame: Frame) -> None:
        if not self.ignore_no_valid:
            raise DataError(
                f"stimulus {frame.stimulus} has no pixel around which a slice of its label lies",
                place=self.place("ignore_no_valid"),
                remedy="IgnoreNoValid=1 takes a slice from anywhere, with the label -1",
            )
        self.warn_once("an image has no slice of the wanted label: one from anywhere is taken, with the label -1")
