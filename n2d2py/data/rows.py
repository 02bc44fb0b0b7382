"""Images taken out of memory in any order; bytes become reals in the same step."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.lookups import TAIL, Reading, lookup


def rows_of(planes: Tensor, rows: NDArray[np.int64]) -> Tensor:
    """A copy of some rows (len(rows), ...) of a contiguous tensor, on its device."""
    if planes.device.type != "cpu":
        return torch.index_select(planes, 0, torch.from_numpy(rows).to(planes.device))
    # NumPy copies each row as one piece; torch begins a loop over its values for each of them.
    return torch.from_numpy(planes.numpy().take(rows, 0))


class ByteRows:
    """Images of bytes, (count, channels, height, width), in the memory of the CPU, read as ``reading`` says.

    Each channel of each image is a row of a table for :func:`~n2d2py.data.lookups.lookup`.
    """

    def __init__(self, count: int, shape: tuple[int, int, int], reading: Reading) -> None:
        channels, *plane = shape
        self._shape, self._reading, self._size = shape, reading, math.prod(plane)
        table = np.empty((count, channels, self._size + TAIL), np.uint8)
        table[:, :, self._size :] = reading.tails.view(np.uint8).reshape(channels, TAIL)
        self.bytes_kept = table.nbytes
        self.images: NDArray[np.uint8] = table[:, :, : self._size].reshape(count, *shape)
        """The bytes themselves, to be written there."""
        self._planes = table
        self._table = torch.from_numpy(table).view(count * channels, self._size + TAIL)

    def codes(self, rows: NDArray[np.int64]) -> Tensor:
        """A copy of the bytes of some images."""
        found = self._planes.take(rows, 0)[:, :, : self._size]
        return torch.from_numpy(np.ascontiguousarray(found)).view(len(rows), *self._shape)

    def inputs(self, rows: NDArray[np.int64]) -> Tensor:
        """The inputs of the network that some images are, float32 (len(rows), channels, height, width)."""
        channels = self._shape[0]
        if channels > 1:
            rows = (rows[:, np.newaxis] * channels + np.arange(channels)).reshape(-1)
        found = lookup(self._table, torch.from_numpy(rows))
        return self._reading.finish(found.view(-1, *self._shape))
