"""LabelExtractionTransformation: a patch around a pixel of a label, of one of several sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.rois import cropped
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.label_choice import RANDOM, centres, draw_label, draw_pixel, labels_of
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, integer, positive, unsigned_real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

AUTO = "Auto"
Shares = tuple[tuple[int, float], ...]


def _sizes(text: str, place: Place) -> tuple[int, ...]:
    return tuple(positive.parse(item, place) for item in text.split(","))


def _shares(text: str, place: Place) -> Shares:
    if text.strip() == AUTO:
        return ()
    shares = []
    for item in text.split(","):
        label, colon, share = item.partition(":")
        if not colon:
            raise ValueError(f"{item.strip()!r} has no colon")
        shares.append((integer.parse(label, place), unsigned_real.parse(share, place)))
    if not math.fsum(share for _, share in shares):
        raise ValueError("all shares are 0")
    return tuple(shares)


sizes = Kind("integers of at least 1 separated by commas", _sizes, lambda values: ",".join(map(str, values)))
distribution = Kind(
    "Auto, or label:share separated by commas",
    _shares,
    lambda shares: ",".join(f"{label}:{share:g}" for label, share in shares) or AUTO,
)


@register("transformation", "LabelExtractionTransformation")
@dataclass(frozen=True, kw_only=True)
class LabelExtractionTransformation(Transformation):
    """A patch whose middle pixel has a label, which becomes the label of the stimulus.

    The size is one of the pairs of Widths and Heights; the label is one of the image, all alike or in proportion
    to the shares of Distribution; the pixel is any of that label around which the patch lies inside of the image.
    All three are drawn. If there is no such pixel, the patch is drawn anywhere and its label is -1.
    """

    widths: tuple[int, ...] = parameter("Widths", sizes, REQUIRED, "widths of the patches", unit="pixels")
    heights: tuple[int, ...] = parameter("Heights", sizes, REQUIRED, "heights of the patches", unit="pixels")
    label: int = parameter("Label", integer, RANDOM, "label of the patch; -1: one of the image, drawn")
    distribution: Shares = parameter("Distribution", distribution, (), "how often each label is drawn")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.widths) != len(self.heights):
            raise ParameterError(
                f"{len(self.widths)} widths and {len(self.heights)} heights do not make pairs",
                place=self.place("heights"),
                expected="as many Heights as Widths",
            )

    @property
    def drawn(self) -> bool:
        return True

    def out_dims(self, dims: Dims) -> Dims | None:
        width, height, channels = dims
        if max(self.widths) > width or max(self.heights) > height:
            raise ParameterError(
                f"a patch of {max(self.widths)}x{max(self.heights)} pixels is not inside an image of {width}x{height}",
                place=self.place("widths" if max(self.widths) > width else "heights"),
                expected="Widths and Heights within the image",
            )
        same = len(set(zip(self.widths, self.heights, strict=True))) == 1
        return (self.widths[0], self.heights[0], channels) if same else None

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        height, width, channels = frame.image.shape
        self.out_dims((width, height, channels))
        labels = labels_of(frame, self)
        pair = int(draws.integer(0, len(self.widths) - 1)[0])
        columns, rows = self.widths[pair], self.heights[pair]
        inside = centres(labels.shape, columns, rows)
        candidates = np.where(inside, labels, IGNORE).astype(np.int32)
        drawn = draw_label(candidates, dict(self.distribution) if self.distribution else None, draws)
        label = drawn if self.label == RANDOM else self.label
        pixel = None if label is None else draw_pixel(inside & (labels == label), draws)
        if pixel is None:
            self.warn_once("an image has no patch of the wanted label: one from anywhere is taken, with the label -1")
            label = IGNORE
            left = int(draws.integer(0, width - columns)[0])
            top = int(draws.integer(0, height - rows)[0])
        else:
            left, top = pixel[0] - columns // 2, pixel[1] - rows // 2
        return replace(
            frame,
            image=frame.image[top : top + rows, left : left + columns],
            labels=np.full((1, 1), label, np.int32),
            rois=cropped(frame.rois, left, top, columns, rows),
        )
