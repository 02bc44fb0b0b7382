"""Sets for a network on a GPU: their batches are parcels, most of which is made there.

A set that fits is held on the GPU, where a batch is gathered with its slices and flips; only what was drawn travels.
Of others the images travel as they are held in memory, bytes as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.batch import Batch, Made, Parcel
from n2d2py.data.draws import Draws
from n2d2py.data.feeding import DrawnMoves, on_device, room
from n2d2py.data.held import Held
from n2d2py.data.sets import Job, Pending, StimuliSet, Streamed

_HOST = torch.device("cpu")


class RemoteSet(StimuliSet):
    """Makes parcels of what becomes a batch elsewhere."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.plan = replace(self.plan, conversion=on_device(self.plan.conversion, self._device))

    def _batch(
        self,
        ids: NDArray[np.int64],
        planes: Tensor,
        labels: Tensor,
        targets: Tensor | None = None,
        regions: tuple[Tensor, ...] | None = None,
    ) -> Parcel:
        return Parcel(ids, (planes, labels, targets), partial(self._arrived, ids, regions))

    def _arrived(
        self,
        ids: NDArray[np.int64],
        regions: tuple[Tensor, ...] | None,
        planes: Tensor,
        labels: Tensor,
        targets: Tensor | None = None,
    ) -> Batch:
        inputs = self.plan.conversion.inputs(planes)
        return self._with_codes(ids, inputs, labels, lambda: planes, targets, regions)


class RemoteStreamed(RemoteSet, Streamed):
    """Stimuli that are made anew for each batch."""


class RemoteHeld(RemoteSet, Held):
    """Stimuli in memory: that of the GPU if they fit there."""

    _placed: Tensor | None = None
    _reads = False  # the host fills the memory, and what comes of it is made on the device

    def fill(self, dims: tuple[int, int, int], workers: Executor | None, inputs_memory: int = 0) -> bool:
        """As :meth:`Held.fill`; nothing is kept twice, since the GPU makes reals and mirrors as fast as it reads."""
        device, self._device = self._device, _HOST
        try:
            filled = super().fill(dims, workers, 0)
        finally:
            self._device = device
        planes = self._planes if self._moving is None else self._moving.planes
        if filled and planes is not None:
            needed = planes.numel() * planes.element_size()
            if needed <= room(device, needed):
                self._placed = planes.to(device)
        return filled

    def start(self, jobs: Sequence[Job], workers: Executor | None) -> Pending:
        if workers is None:
            return partial(self._make, jobs)
        return workers.submit(lambda: list(self._make(jobs))).result

    def _one_batch(self, positions: NDArray[np.int64], draws: Draws, ids: NDArray[np.int64], labels: Tensor) -> Made:
        if self._placed is None:
            return super()._one_batch(positions, draws, ids, labels)
        rows, regions = torch.from_numpy(positions), self._regions(positions)
        if self._moving is None:
            return Parcel(ids, (rows, labels), partial(self._chosen, ids, regions))
        _, channels, height, width = self._placed.shape
        moves, drawn = DrawnMoves.of(self._moving.moves, (width, height, channels), draws)
        self._shape.check((*moves.size, channels), (1, 1), f"{self.name} in memory")
        return Parcel(ids, (rows, labels, *drawn), partial(self._moved_there, ids, moves))

    def _chosen(
        self, ids: NDArray[np.int64], regions: tuple[Tensor, ...] | None, rows: Tensor, labels: Tensor
    ) -> Batch:
        assert self._placed is not None  # the caller made the parcel for it
        return self._arrived(ids, regions, torch.index_select(self._placed, 0, rows), labels)

    def _moved_there(
        self, ids: NDArray[np.int64], moves: DrawnMoves, rows: Tensor, labels: Tensor, *drawn: Tensor
    ) -> Batch:
        assert self._placed is not None  # the caller made the parcel for it
        return self._arrived(ids, None, moves.gather(self._placed, rows, *drawn), labels)
