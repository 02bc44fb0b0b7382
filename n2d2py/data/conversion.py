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
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.range_affine import RangeAffineTransformation
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

    @property
    def costly(self) -> bool:
        """Whether it takes longer to make inputs than to read them from memory, which is four times larger then."""
        ...

    def inputs(self, held: Tensor) -> Tensor:
        """The inputs alone."""
        ...


class _Converting:
    """Codes beside inputs, for conversions that have none."""

    @property
    def costly(self) -> bool:
        return True

    def inputs(self, held: Tensor) -> Tensor:
        """The inputs alone."""
        raise NotImplementedError

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        return self.inputs(held), None


def _reals(held: Tensor) -> Tensor:
    """A new tensor of float32, in the order of its axes."""
    return held.to(torch.float32, memory_format=torch.contiguous_format, copy=True)


@dataclass(frozen=True)
class Real(_Converting):
    """Images are held as they enter the network, but for the quantization of the input if there is one."""

    grid: None = None
    quantization: Quantization | None = None

    @property
    def costly(self) -> bool:
        return self.quantization is not None

    def inputs(self, held: Tensor) -> Tensor:
        values = held.to(torch.float32, memory_format=torch.contiguous_format)
        return values if self.quantization is None else self.quantization(values)


@dataclass(frozen=True)
class Divided(_Converting):
    """Input = (integer + offset) * float32(scale), for integers that are no codes, then the quantization."""

    offset: int
    scale: float
    quantization: Quantization | None = None
    grid: None = None

    def inputs(self, held: Tensor) -> Tensor:
        values = _reals(held).add_(self.offset).mul_(self.scale)
        return values if self.quantization is None else self.quantization(values)


@dataclass(frozen=True)
class Scaled:
    """Code = byte + offset; input = code * float32(scale)."""

    grid: Grid
    offset: int = 0
    costly: ClassVar[bool] = False

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        codes = held.to(torch.float32, memory_format=torch.contiguous_format)
        if self.offset:
            codes += self.offset
        return codes * self.grid.scale, Coded(codes, self.grid)

    def inputs(self, held: Tensor) -> Tensor:
        codes = _reals(held)
        if self.offset:
            codes.add_(self.offset)
        return codes.mul_(self.grid.scale)


@dataclass(frozen=True)
class Leveled:
    """Code = table[byte], for inputs that are quantized; input = code * float32(scale)."""

    grid: Grid
    table: Tensor
    costly: ClassVar[bool] = True

    def __call__(self, held: Tensor) -> tuple[Tensor, Coded | None]:
        codes = self.table.to(held.device)[held.to(torch.int32, memory_format=torch.contiguous_format)]
        return codes * self.grid.scale, Coded(codes, self.grid)

    def inputs(self, held: Tensor) -> Tensor:
        return self(held)[0]


@dataclass(frozen=True)
class Tabled(_Converting):
    """Input = table[channel, byte], for bytes that a function of one value changes."""

    table: Tensor
    grid: None = None

    def inputs(self, held: Tensor) -> Tensor:
        channels = len(self.table)
        start = torch.arange(channels, dtype=torch.int32, device=held.device).mul_(256).view(channels, 1, 1)
        indices = held.to(torch.int32, memory_format=torch.contiguous_format) + start
        return self.table.to(held.device).view(-1)[indices]


@dataclass(frozen=True)
class Affine(_Converting):
    """Sums and products one after the other, each with a value a channel: what a table of them holds, but faster."""

    operations: tuple[tuple[bool, Tensor], ...]
    grid: None = None

    @property
    def costly(self) -> bool:
        return False

    def inputs(self, held: Tensor) -> Tensor:
        return self.on(_reals(held))

    def on(self, values: Tensor) -> Tensor:
        """The operations on real values (count, channels, height, width), in place."""
        for product, operand in self.operations:
            right = operand.to(values.device)
            values = values.mul_(right) if product else values.add_(right)
        return values


def byte_table(conversion: Conversion, channels: int) -> Tensor | None:
    """The real values (channels, 256) that bytes become; None where bytes are codes, or the inputs no bytes."""
    if not isinstance(conversion, Tabled | Affine):
        return None
    all_bytes = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1).expand(256, channels, 1, 1)
    return conversion.inputs(all_bytes)[:, :, 0, 0].T.contiguous()


_RANGES = {
    "uint8": ((0, 255), (-128, 128)),
    "int8": ((0, 127), (-128, 128)),
    "uint16": ((0, 65535), (-32768, 32768)),
    "int16": ((0, 32767), (-32768, 32768)),
    "int32": ((0, 2**31 - 1), (0, 2**31 - 1)),
}
"""Offset and divisor of the implicit scaling of each depth, without and with DataSignedMapping=1."""


def scaling(signed: bool, quantization: Quantization | None, depth: str = "uint8") -> Conversion:
    """The implicit scaling of integers, of bytes to [0, 1] or (``signed``) to [-1, 1[, then the quantization.

    Bytes and 16-bit integers have codes; of bytes, quantized ones as well if 0 is a level.
    """
    offset, divisor = _RANGES[depth][signed]
    if depth == "int32" or (depth != "uint8" and quantization is not None):
        return Divided(offset, 1 / divisor, quantization)
    if quantization is None:
        bounds = np.iinfo(depth)
        return Scaled(Grid(1 / divisor, int(bounds.min) + offset, int(bounds.max) + offset), offset)
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


def tabulate(tail: Sequence[Transformation], channels: int, quantization: Quantization | None) -> Conversion:
    """The table of pointwise transformations of bytes; sums and products where these give the very same numbers."""
    bytes_ = np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]
    values = np.broadcast_to(bytes_, (256, 1, 1, channels))
    nothing = Draws(np.zeros(256, np.uint64))
    for transformation in tail:
        values = transformation.apply(values, nothing)
    table = torch.from_numpy(np.ascontiguousarray(values[:, 0, 0, :].T, dtype=np.float32))
    if quantization is not None:
        return Tabled(quantization(table))
    if (affine := _affine(tail)) is not None:
        all_bytes = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1).expand(256, channels, 1, 1)
        if torch.equal(affine.inputs(all_bytes)[:, :, 0, 0].T, table):
            return affine
    return Tabled(table)


def _affine(tail: Sequence[Transformation]) -> Affine | None:
    """The operations of affine transformations as sums and products; None if there are others."""
    operations = []
    for transformation in tail:
        if not isinstance(transformation, RangeAffineTransformation):
            return None
        for operator, values in (
            (transformation.first_operator, transformation.first_value),
            (transformation.second_operator, transformation.second_value),
        ):
            if values:
                reals = np.array(values, np.float64)
                right = {"Minus": -reals, "Divides": 1 / reals if operator == "Divides" else reals}.get(operator, reals)
                operand = torch.from_numpy(right.astype(np.float32)).view(-1, 1, 1)
                operations.append((operator in ("Multiplies", "Divides"), operand))
    return Affine(tuple(operations))
