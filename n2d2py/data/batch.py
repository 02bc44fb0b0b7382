"""What a network is fed with at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.quant.grid import Coded


@dataclass(frozen=True)
class Batch:
    """Stimuli that are processed together.

    ``ids``: id of each stimulus; ``inputs``: float32 (count, channels, height, width), with a depth before the
    height if the stimuli have one; ``labels``: int64 (count), or (count, height, width) for a label a pixel;
    ``target_data``: float32, what the outputs are compared with where that is not the inputs (TargetSize);
    ``regions``: the labelled regions of each stimulus where they are asked for, float32 (regions, 5) on the CPU: x, y
    (top left corner), width, height in pixels of the inputs, id of the label.
    """

    ids: NDArray[np.int64]
    inputs: Tensor
    labels: Tensor
    target_data: Tensor | None = None
    regions: tuple[Tensor, ...] | None = None
    coding: Callable[[], Coded] | None = field(default=None, repr=False)

    @cached_property
    def codes(self) -> Coded | None:
        """The integer codes of the inputs with their grid, if the inputs lie on one; made when they are asked for."""
        return None if self.coding is None else self.coding()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Parcel:
    """What the host made of a batch; ``finish`` makes the batch of its tensors once they are on the device."""

    ids: NDArray[np.int64]
    tensors: Sequence[Tensor | None]
    finish: Callable[..., Batch] = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)


Made = Batch | Parcel
"""A batch, or what becomes one."""
