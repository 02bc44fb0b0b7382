"""Windows of images as tables of bytes: what lies behind their rows gives place to what makes reals of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.lookups import TAIL, Reading, lookup


class Lines:
    """Windows of ``shape`` (channels, height, width) in images of ``height`` rows that are TAIL bytes wider.

    So the rows of a window, with what lies behind them, are those of a table.
    """

    def __init__(self, reading: Reading, shape: tuple[int, int, int], height: int) -> None:
        channels, rows, width = shape
        self._reading, self._shape, self._pitch = reading, shape, width + TAIL
        self._tails = np.repeat(reading.tails, height)[: (channels - 1) * height + rows]
        self._wanted = np.add.outer(np.arange(channels) * height, np.arange(rows)).reshape(-1)
        self._rows = torch.empty(0, dtype=torch.int64)

    def inputs(self, pieces: NDArray[np.uint8]) -> Tensor:
        """The inputs of the network, float32 (count, channels, height, width), of windows that are pieces of memory.

        ``pieces`` (count, rows x (width + TAIL)) is contiguous and has all rows from the first one of the first
        channel to the last one of the last channel. What is not wanted there is written over.
        """
        count, rows = len(pieces), len(self._tails)
        lines = pieces.reshape(count, rows, self._pitch)
        lines[:, :, -TAIL:].view(np.uint64)[:, :, 0] = self._tails
        found = lookup(torch.from_numpy(lines).view(count * rows, self._pitch), self._rows_of(count))
        return self._reading.finish(found.view(count, *self._shape))

    def _rows_of(self, count: int) -> Tensor:
        """Which rows of the table are wanted; those of the last batch are kept, as all but one are of one size."""
        rows = self._rows  # of which another thread may make others meanwhile
        if len(rows) != count * len(self._wanted):
            rows = torch.from_numpy(np.add.outer(np.arange(count) * len(self._tails), self._wanted).reshape(-1))
            self._rows = rows
        return rows
