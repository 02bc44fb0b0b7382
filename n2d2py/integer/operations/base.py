"""What all operations have in common, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.cells.base import Dims
from n2d2py.quant.grid import Grid

Pair = tuple[int, int]
"""(x, y), as everywhere in the INI file."""

Along = tuple[int, ...]
"""(x, y), or (x, y, z) where there is a depth to slide along."""


@dataclass(frozen=True, eq=False)
class Edge:
    """What flows between two operations: its dimensions, its grid, and the reachable codes of each channel.

    ``grid`` is None for the real values of a float island. ``low`` and ``high`` are int64 (channels,), exact bounds
    from range arithmetic: no stimulus can leave them. ``offset`` (float64, channels) is the real bias of a cell on
    its way to the rescaling that absorbs it: value = code * scale + offset.
    """

    name: str
    dims: Dims
    grid: Grid | None
    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray | None = None

    @property
    def magnitude(self) -> int:
        """Largest |code| that can occur."""
        return max((abs(int(value)) for value in (*self.low.tolist(), *self.high.tolist())), default=0)

    @property
    def bits(self) -> int:
        """Bits of a word that holds every code that can occur: unsigned if none is negative."""
        return Grid(1.0, int(self.low.min()), int(self.high.max())).bits


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: the name of what it gives, the cell it comes from, the names of what it takes."""

    name: str
    cell: str
    inputs: tuple[str, ...]

    def words(self) -> str:
        """The formula in words, enough to write the operation again."""
        raise NotImplementedError

    def detail(self) -> str:
        """Its parameters in a line of the text dump."""
        return ""

    def record(self) -> dict[str, Any]:
        """Its parameters as plain data, for the manifest."""
        return {}
