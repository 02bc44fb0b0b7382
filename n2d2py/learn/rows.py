"""A table that grows row by row without being copied at each read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST = 256


class Rows:
    """Rows of ``width`` float64 values; what :meth:`table` gave stays as it was when more rows come."""

    def __init__(self, width: int) -> None:
        self._held = np.empty((_FIRST, width))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, rows: NDArray[np.float64]) -> None:
        """Add ``rows`` (count, width) at the end."""
        end = self._count + len(rows)
        if end > len(self._held):
            # Twice the size at least: all copies together are no more than two of the final table, and so are the
            # old tables that somebody still holds.
            grown = np.empty((max(end, 2 * len(self._held)), self._held.shape[1]))
            grown[: self._count] = self._held[: self._count]
            self._held = grown
        self._held[self._count : end] = rows
        self._count = end

    def table(self, last: int = 0) -> NDArray[np.float64]:
        """The ``last`` rows (0: all), (count, width): a view that cannot be written to."""
        view = self._held[max(0, self._count - last) if last else 0 : self._count]
        view.flags.writeable = False
        return view
