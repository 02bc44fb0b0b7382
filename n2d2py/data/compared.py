"""Target data: what the outputs of a network are compared with where that is not its input (TargetSize)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.frame import Frame
from n2d2py.errors import DataError, ParameterError
from n2d2py.parts.provider import Provider

_CORNERS = 4


class TargetData:
    """Target data of the stimuli of a database: (channels, height, width), with a depth before the height if any.

    They are images of the folder TargetDataPath with the names of the stimuli, to which no transformation is done,
    or where the database has it so the borders of the one region of a stimulus after its transformations: left and
    right by the width of the image, top and bottom by its height. Raises :class:`ParameterError` if there are none.
    """

    def __init__(self, content: Content, provider: Provider) -> None:
        assert provider.target_dims is not None  # who asks has looked
        self._content = content
        width, height, channels, depth = provider.target_dims
        self._size = (height, width, channels * depth)
        self.shape = (channels, height, width) if depth == 1 else (channels, depth, height, width)
        self.place = provider.place("target_sizes" if provider.target_sizes is not None else "target_size_x")
        if content.loading.target_folder is None and not content.targets_are_regions and len(content.labels):
            raise ParameterError(
                "TargetSize is given, but the database has no target data",
                place=self.place,
                expected="a database with target data",
                remedy="TargetDataPath= in its section names a folder with an image for each stimulus; without "
                "TargetSize outputs are compared with the input",
            )

    def read(self, frame: Frame) -> NDArray[np.float32]:
        """The target data of a transformed stimulus; raises :class:`DataError` for missing ones or another size."""
        image = self._content.target(frame.stimulus)
        if image is None:
            return self._borders(frame)
        if image.shape != self._size:
            raise DataError(
                f"expected size of the target data of stimulus {self._content.name(frame.stimulus)} is "
                f"{_words(self._size)}, but they are {_words(image.shape)}",
                place=self.place,
                expected="width x height x channels of TargetSize: target data are not transformed",
            )
        return as_planes(image).reshape(self.shape)

    def _borders(self, frame: Frame) -> NDArray[np.float32]:
        if len(frame.rois) != 1 or np.prod(self.shape) != _CORNERS:
            raise DataError(
                f"the target data of stimulus {self._content.name(frame.stimulus)} are the {_CORNERS} borders of its "
                f"region: it has {len(frame.rois)} regions, and TargetSize wants {np.prod(self.shape)} values",
                place=self.place,
                expected=f"one region, and TargetSize={_CORNERS} 1 1",
            )
        left, top, right, bottom = frame.rois[0].box()
        height, width = frame.image.shape[:2]
        return np.array([left / width, right / width, top / height, bottom / height], np.float32).reshape(self.shape)


def as_planes(image: NDArray[Any]) -> NDArray[np.float32]:
    """An image of target data as (channels, height, width): integers by their full scale, reals as they are."""
    scale = np.iinfo(image.dtype).max if np.issubdtype(image.dtype, np.integer) else 1
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) * np.float32(1 / scale)


def _words(size: tuple[int, ...]) -> str:
    height, width, channels = size
    return f"{width}x{height}x{channels}"
