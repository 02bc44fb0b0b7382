"""Random slices and flips of images in memory, done while the images of a batch are gathered: one copy for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.draws import Draws
from n2d2py.data.lines import Lines
from n2d2py.data.lookups import TAIL, Reading
from n2d2py.data.rows import rows_of
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.flip import FlipTransformation
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation

_MOST_OF_SPAN = 2  # times the window: what lies between its rows takes longer to copy than it saves above that


@dataclass(frozen=True)
class Moves:
    """A slice of each image, then a flip of each, or one of the two; each with the number of its random stream."""

    slicing: tuple[int, SliceExtractionTransformation] | None = None
    flipping: tuple[int, FlipTransformation] | None = None

    @property
    def mirrors(self) -> bool:
        """Whether left and right of some images are exchanged at random."""
        return self.flipping is not None and self.flipping[1].random_horizontal

    @property
    def flips_sideways(self) -> bool:
        """Whether left and right are exchanged, always or at random."""
        return self.mirrors or (self.flipping is not None and self.flipping[1].horizontal)

    def size(self, dims: Dims) -> tuple[int, int]:
        """Width and height of what is left of images of ``dims``."""
        size = dims if self.slicing is None else self.slicing[1].out_dims(dims)
        assert size is not None  # without scaling
        return size[:2]

    def drawn(self, draws: Draws, dims: Dims, mirrored: int) -> NDArray[np.int64]:
        """Of each image: where its window begins, in values from its first one; whether it is then mirrored, and how.

        Columns of the result: begin, top and bottom exchanged, left and right exchanged. With ``mirrored``, the window
        of an image whose left and right are exchanged is that in its mirrored copy, so many images behind it.
        """
        width, height, channels = dims
        found = np.zeros((len(draws), 3), np.int64)
        left, top = np.zeros((2, len(draws)), np.int64)
        if self.slicing is not None:
            number, slicing = self.slicing
            left, top = slicing.offsets(dims, draws.child(number)).T
        if self.flipping is not None:
            number, flipping = self.flipping
            horizontal, vertical = flipping.flips(draws.child(number))
            found[:, 1], found[:, 2] = vertical, horizontal
            if mirrored:
                left = np.where(horizontal, width - self.size(dims)[0] - left, left)
                found[:, 0], found[:, 2] = horizontal * (mirrored * channels * height * width), False
        found[:, 0] += top * width + left
        return found


def memory_for(shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> Tensor:
    """Memory for images (count, channels, height, width), behind which there are some bytes that nothing uses."""
    size = math.prod(shape)
    values = np.empty(size + TAIL, dtype)  # which is in large pages, other than torch's
    return torch.from_numpy(values)[:size].view(shape)


class Moving:
    """Images in memory, ``planes`` (count, channels, height, width) and contiguous, that are moved when they are taken.

    If ``mirrored``, all images stand a second time behind themselves with left and right exchanged. With a ``reading``
    and ``planes`` from :func:`memory_for`, the inputs of the network are made in the same step, where they can be.
    """

    def __init__(self, moves: Moves, planes: Tensor, mirrored: bool = False, reading: Reading | None = None) -> None:
        count, channels, height, width = planes.shape
        self.planes = planes
        self.moves = moves
        self._mirrored = count // 2 if mirrored else 0
        self._dims = (width, height, channels)
        self._image = channels * height * width
        size = moves.size(self._dims)
        self._shape, self._strides = (channels, size[1], size[0]), (height * width, width, 1)
        flipping = moves.flipping[1] if moves.flipping is not None else None
        self._flipped = flipping is not None and (
            flipping.vertical or flipping.random_vertical or (not mirrored and moves.flips_sideways)
        )
        self._pieces: NDArray[np.void] | None = None
        self._windows: Tensor | None = None
        self._lines: Lines | None = None
        if moves.slicing is None or not count:
            return
        # From the first value of a window to its last one.
        span = 1 + sum((number - 1) * stride for number, stride in zip(self._shape, self._strides, strict=True))
        if planes.element_size() == 1 and span <= _MOST_OF_SPAN * channels * size[0] * size[1]:
            # A window is copied with all that lies between its values, as one piece, which is faster than many short
            # rows. The pieces may begin at any byte, for which NumPy needs a type of just that size.
            behind = 0
            if reading is not None and width - size[0] == TAIL:
                behind = TAIL
                self._lines = Lines(reading, self._shape, height)
            values = torch.as_strided(planes, (planes.numel() + behind,), (1,)).numpy()
            self._pieces = np.ndarray((planes.numel() - span + 1,), f"V{span + behind}", values, 0, (1,))
        else:
            # A window at each value of the memory, of which those that are wanted are taken.
            windows = (planes.numel() - span + 1, *self._shape)
            self._windows = torch.as_strided(planes.view(-1), windows, (1, *self._strides))

    def mirror(self) -> None:
        """Write the copies with left and right exchanged, once the images are there, if there are to be such."""
        if self._mirrored:
            assert self.moves.flipping is not None  # it mirrors
            # All rows of all channels, one below the other, are one tall image.
            rows = self.planes.numpy().reshape(2, -1, self.planes.shape[3])
            opencv(self.moves.flipping[1]).flip(rows[0], 1, rows[1])

    def gather(self, rows: NDArray[np.int64], draws: Draws) -> tuple[Tensor, Tensor | None]:
        """Images ``rows``, moved as ``draws`` says: bit for bit those that the transformations make one by one.

        Their values need not lie close together in memory. Then the inputs of the network, where they are made here.
        """
        drawn = draws.each("moves", self._drawn)
        starts = rows * self._image + drawn[:, 0]
        pieces = None
        if self._pieces is not None:
            size = self._pieces.itemsize
            pieces = self._pieces[starts].view(np.uint8).reshape(len(rows), size)
            strides = (size, *self._strides)
            found = torch.from_numpy(pieces).view(self.planes.dtype)
            result = torch.as_strided(found, (len(rows), *self._shape), strides)
        elif self._windows is not None:
            result = torch.index_select(self._windows, 0, torch.from_numpy(starts))
        else:
            result = rows_of(self.planes, starts // self._image)
        if self._flipped and self.moves.flipping is not None:
            for axis in (0, 1):
                _mirror(result.numpy(), drawn[:, 1 + axis], axis, self.moves.flipping[1])
        if pieces is None or self._lines is None:
            return result, None
        return result, self._lines.inputs(pieces)

    def _drawn(self, draws: Draws) -> NDArray[np.int64]:
        return self.moves.drawn(draws, self._dims, self._mirrored)


def moves_of(rest: Sequence[tuple[int, Transformation]]) -> Moves | None:
    """The moves that some numbered transformations are; None if they do something else as well."""
    slicing = flipping = None
    for number, step in rest:
        if isinstance(step, SliceExtractionTransformation) and step.rearranging and slicing is flipping is None:
            slicing = (number, step)
        elif isinstance(step, FlipTransformation) and flipping is None:
            flipping = (number, step)
        else:
            return None
    return Moves(slicing, flipping)


def _mirror(images: NDArray[Any], which: NDArray[np.int64], axis: int, flipping: FlipTransformation) -> None:
    """Mirror some of the images in place: the order of their columns (``axis`` 1) or of their rows (0)."""
    chosen = np.flatnonzero(which)
    if not len(chosen):
        return
    some = images[chosen]
    if axis == 1:
        # All rows of all channels, one below the other, are one tall image.
        cv2 = opencv(flipping)
        images[chosen] = cv2.flip(some.reshape(-1, images.shape[3]), 1).reshape(some.shape)
    else:
        images[chosen] = some[:, :, ::-1]
