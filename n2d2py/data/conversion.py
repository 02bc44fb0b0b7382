"""From images in memory to the input of the network: implicit scaling, quantization of the input, codes.

Images whose chain ends in 8U are kept as bytes and scaled when a batch is made: x = (byte + offset) / divisor
with (0, 255), or (-128, 128) for DataSignedMapping=1. The integer byte + offset is the code, 1 / divisor the
scale of the grid on which the network's input lies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from n2d2py.data.transformations.base import Transformation
from n2d2py.quant.grid import Coded, Grid


@dataclass(frozen=True)
class Quantization:
    """QuantizationLevels: x becomes trunc((x - low) / step) step + low, step = (high - low) / (levels - 1).

    x is clamped to [low, high] before; one level gives the sign of x.
    """

    levels: int
    low: float = 0.0
    high: float = 1.0

    def level(self, value: Fraction) -> int:
        """The number of the level, from 0, of an exactly known value."""
        low, high = Fraction(self.low), Fraction(self.high)
        return math.trunc((min(max(value, low), high) - low) * (self.levels - 1) / (high - low))

    def __call__(self, values: Tensor) -> Tensor:
        """Quantize real values, in float32 as N2D2 does."""
        if self.levels == 1:
            return values.sign()
        step = (self.high - self.low) / (self.levels - 1)
        return torch.trunc((values.clamp(self.low, self.high) - self.low) / step) * step + self.low


class Conversion(Protocol):
    """Makes the network's input of images as they are held in memory."""

    @property
    def grid(self) -> Grid | None:
        """The grid of the codes; None if there are no codes."""
        ...

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        """Inputs, float32 (count, channels, height, width), and their codes if they have a grid."""
        ...


@dataclass(frozen=True)
class Real:
    """Images are held as they enter the network."""

    grid: None = None

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        return held, None


@dataclass(frozen=True)
class Scaled:
    """Code = byte + offset; input = code * float32(scale)."""

    grid: Grid
    offset: int = 0

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        codes = held.to(torch.float32)
        if self.offset:
            codes += self.offset
        return codes * self.grid.scale, Coded(codes, self.grid)


@dataclass(frozen=True)
class Leveled:
    """Code = table[byte], for inputs that are quantized; input = code * float32(scale)."""

    grid: Grid
    table: Tensor

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        codes = self.table.to(held.device)[held.to(torch.int32)]
        return codes * self.grid.scale, Coded(codes, self.grid)


@dataclass(frozen=True)
class Tabled:
    """Input = table[channel, byte], for bytes that a function of one value changes."""

    table: Tensor
    grid: None = None

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        channels = len(self.table)
        start = torch.arange(channels, dtype=torch.int32, device=held.device).mul_(256).view(channels, 1, 1)
        return self.table.to(held.device).view(-1)[held.to(torch.int32) + start], None


def scaling(signed: bool, quantization: Quantization | None) -> Conversion:
    """The implicit scaling of bytes, to [0, 1] or (``signed``) to [-1, 1[, then the quantization if there is one."""
    offset, divisor = (-128, 128) if signed else (0, 255)
    if quantization is None:
        return Scaled(Grid(1 / divisor, offset, offset + 255), offset)
    values = [Fraction(byte + offset, divisor) for byte in range(256)]
    if quantization.levels == 1:
        signs = [(value > 0) - (value < 0) for value in values]
        return Leveled(Grid(1.0, -1, 1), torch.tensor(signs, dtype=torch.float32))
    low, high = Fraction(quantization.low), Fraction(quantization.high)
    step = (high - low) / (quantization.levels - 1)
    levels = [quantization.level(value) for value in values]
    if (low / step).denominator == 1:
        first = int(low / step)
        codes = torch.tensor([level + first for level in levels], dtype=torch.float32)
        return Leveled(Grid(float(step), first, first + quantization.levels - 1), codes)
    return Tabled(torch.tensor([[float(level * step + low) for level in levels]], dtype=torch.float32))


def tabulate(tail: Sequence[Transformation], channels: int, quantization: Quantization | None) -> Tabled:
    """The table of pointwise transformations of bytes."""
    bytes_ = np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]
    values = np.broadcast_to(bytes_, (256, 1, 1, channels))
    for transformation in tail:
        values = transformation.apply(values)
    table = torch.from_numpy(np.ascontiguousarray(values[:, 0, 0, :].T, dtype=np.float32))
    return Tabled(table if quantization is None else quantization(table))
