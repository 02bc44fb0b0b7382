"""Random slices and flips of images in memory, done while the images of a batch are gathered: one copy for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.flip import FlipTransformation
from n2d2py.data.transformations.opencv import opencv
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation


@dataclass(frozen=True)
class Moves:
    """A slice of each image, then a flip of each, or one of the two; each with the number of its random stream."""

    slicing: tuple[int, SliceExtractionTransformation] | None = None
    flipping: tuple[int, FlipTransformation] | None = None

    def gather(self, planes: Tensor, rows: NDArray[np.int64], draws: Draws) -> Tensor:
        """Images ``rows`` of ``planes``, (count, channels, height, width) and contiguous, moved as ``draws`` says.

        These are, bit for bit, those that the transformations make one after the other.
        """
        if self.slicing is None:
            result = torch.index_select(planes, 0, torch.from_numpy(rows))
        else:
            number, slicing = self.slicing
            result = _windows(planes, rows, slicing, draws.child(number))
        if self.flipping is not None:
            number, flipping = self.flipping
            horizontal, vertical = flipping.flips(draws.child(number))
            _mirror(result.numpy(), horizontal, 1, flipping)
            _mirror(result.numpy(), vertical, 0, flipping)
        return result


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


def _windows(planes: Tensor, rows: NDArray[np.int64], slicing: SliceExtractionTransformation, draws: Draws) -> Tensor:
    _, channels, height, width = planes.shape
    size = slicing.out_dims((width, height, channels))
    assert size is not None  # without scaling
    offsets = slicing.offsets((width, height, channels), draws)
    plane, image = height * width, channels * height * width
    # One view with a window at each value of the memory, of which those that are wanted are taken.
    reach = (channels - 1) * plane + (size[1] - 1) * width + size[0]
    windows = torch.as_strided(
        planes.view(-1), (planes.numel() - reach + 1, channels, size[1], size[0]), (1, plane, width, 1)
    )
    starts = rows * image + offsets[:, 1] * width + offsets[:, 0]
    return torch.index_select(windows, 0, torch.from_numpy(starts))


def _mirror(images: NDArray[Any], which: NDArray[np.bool_], axis: int, flipping: FlipTransformation) -> None:
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
