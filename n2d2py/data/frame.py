"""One stimulus on its way through the transformations: image, labels, regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.rois import Roi

IGNORE = -1
"""The label of what neither learns nor scores."""


@dataclass(frozen=True, eq=False)
class Frame:
    """An image with what belongs to it; a transformation gives a new one.

    ``image``: (height, width, channels), whatever the type of its values; colours are blue, green, red as OpenCV
    reads them. ``labels``: int32, (1, 1) for one label a stimulus, else (height, width), a label a pixel.
    ``stimulus``: its id in the database.
    """

    image: NDArray[Any]
    labels: NDArray[np.int32]
    rois: tuple[Roi, ...] = ()
    stimulus: int = -1

    @property
    def labelled_by_pixel(self) -> bool:
        """Whether there is a label a pixel, which then moves with the image."""
        return self.labels.shape != (1, 1)

    def with_image(self, image: NDArray[Any]) -> Frame:
        """The same stimulus with another image; an image of two axes gets one channel."""
        return Frame(image if image.ndim == 3 else image[..., np.newaxis], self.labels, self.rois, self.stimulus)
