"""Codes and grids: the one answer from which fake-quantized learning and the integer network both come.

A tensor on a grid is ``codes * scale``, with integer codes in [low, high] that differ by multiples of
``step`` (2 on the SAT Default grid, whose codes are 2k - R), or that are the listed ones of an uneven level set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """The levels ``code * scale``, code = low, low + step, ..., high; or ``uneven``, sorted, where it is given."""

    scale: float
    low: int
    high: int
    step: int = 1
    uneven: tuple[int, ...] = ()

    @property
    def bits(self) -> int:
        """Bits of a word that holds every code: unsigned if low >= 0, else two's complement."""
        if self.low >= 0:
            return max(1, self.high.bit_length())
        return 1 + max((-self.low - 1).bit_length(), self.high.bit_length() if self.high > 0 else 0)

    @property
    def levels(self) -> int:
        """Number of levels."""
        return len(self.uneven) or (self.high - self.low) // self.step + 1

    @property
    def codes(self) -> Sequence[int]:
        """All codes, in increasing order."""
        return self.uneven or range(self.low, self.high + 1, self.step)

    @property
    def magnitude(self) -> int:
        """Largest |code|."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Coded:
    """A tensor of a network that is evaluated on codes.

    ``values`` (batch, channels, height, width) holds integer codes in a float tensor if there is a ``grid``,
    which bounds them; real values if there is none. Codes are kept in the narrowest float type that holds
    every code of the grid exactly (:func:`exact_dtype`). ``offset`` (float64, channels) is a real that each
    channel still has to get, the bias of a weighted cell on its way to a BatchNorm or a quantizer:
    value = code * scale + offset.
    """

    values: Tensor
    grid: Grid | None = None
    offset: Tensor | None = None

    def __post_init__(self) -> None:
        if self.grid is None and self.offset is not None:
            raise ValueError("an offset stands beside codes; real values have it added")

    def exact(self) -> Tensor:
        """The real values, float64: code * scale (+ offset), each operation rounded once."""
        values = self.values.double()
        if self.grid is None:
            return values
        values = values * self.grid.scale
        return values if self.offset is None else values.add_(along_channels(self.offset, values.dim()))

    def real(self) -> Tensor:
        """The real values, float32."""
        return self.values if self.grid is None else self.exact().float()


def along_channels(tensor: Tensor, dims: int, axis: int = 1) -> Tensor:
    """``tensor`` (channels) shaped so that it broadcasts along ``axis`` of a tensor of ``dims`` dimensions."""
    return tensor.view(*(-1 if place == axis else 1 for place in range(dims)))


def exact_dtype(magnitude: int) -> torch.dtype:
    """The float type in which integers up to ``magnitude`` and their sums up to it are exact.

    Raises OverflowError above 2^53.
    """
    if magnitude < 1 << 24:
        return torch.float32
    if magnitude < 1 << 53:
        return torch.float64
    raise OverflowError(f"integers up to {magnitude} have no exact float type")


def product_dtype(magnitude: int) -> torch.dtype:
    """As :func:`exact_dtype`, for sums of products: float64 too where torch may shorten float32 products.

    ``torch.set_float32_matmul_precision`` below "highest" allows TF32 or bfloat16, which are not exact.
    """
    dtype = exact_dtype(magnitude)
    return dtype if torch.get_float32_matmul_precision() == "highest" else torch.float64
