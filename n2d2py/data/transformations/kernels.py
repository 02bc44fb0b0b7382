"""Kernels of filters, each a record with its own parameters below ``Kernel.``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, positive, real, real_between, unsigned
from n2d2py.parameters import REQUIRED, Record, parameter
from n2d2py.registry import register

Kernel = NDArray[np.float64]
_positive_real = real_between(0, math.inf, low_open=True)
_ROOT = math.sqrt(2)


class FilterKernel(Record):
    """A matrix with which images are correlated."""

    def matrix(self) -> Kernel:
        """The matrix: (rows, columns)."""
        raise NotImplementedError


def gaussian(columns: int, rows: int, sigma: float) -> Kernel:
    """exp(-r^2 / 2 sigma^2) / (2 pi sigma^2), r the distance to the middle; its sum is not made 1."""
    x, y = _grid(columns, rows)
    return np.exp(-(x * x + y * y) / (2 * sigma**2)) / (2 * math.pi * sigma**2)


@register("kernel", "*")
@dataclass(frozen=True, kw_only=True)
class WrittenKernel(FilterKernel):
    """A matrix that is written out."""

    values: tuple[float, ...] = parameter("Mat", list_of(real), REQUIRED, "values, row after row")
    size_x: int = parameter("SizeX", unsigned, 0, "columns; 0 with SizeY=0: a square matrix")
    size_y: int = parameter("SizeY", unsigned, 0, "rows")

    def __post_init__(self) -> None:
        columns, rows = self._size()
        if columns * rows != len(self.values) or not self.values:
            raise ParameterError(
                f"Kernel.Mat has {len(self.values)} values for a kernel of {columns}x{rows}",
                place=self.place("values"),
                expected="Kernel.SizeX x Kernel.SizeY values, or a square number of them without a size",
            )

    def _size(self) -> tuple[int, int]:
        side = math.isqrt(len(self.values))
        return (self.size_x, self.size_y) if self.size_x or self.size_y else (side, side)

    def matrix(self) -> Kernel:
        columns, rows = self._size()
        return np.array(self.values, np.float64).reshape(rows, columns)


@dataclass(frozen=True, kw_only=True)
class _Sized(FilterKernel):
    size_x: int = parameter("SizeX", positive, REQUIRED, "columns")
    size_y: int = parameter("SizeY", positive, REQUIRED, "rows")
    is_positive: bool = parameter("Positive", boolean, True, "0: the kernel is negated")

    def _signed(self, kernel: Kernel) -> Kernel:
        return kernel if self.is_positive else -kernel


@register("kernel", "Gaussian")
@dataclass(frozen=True, kw_only=True)
class GaussianKernel(_Sized):
    """exp(-r^2 / 2 sigma^2) / (2 pi sigma^2); its sum is not made 1."""

    sigma: float = parameter("Sigma", _positive_real, _ROOT, "standard deviation", unit="pixels")

    def matrix(self) -> Kernel:
        return self._signed(gaussian(self.size_x, self.size_y, self.sigma))


@register("kernel", "LoG")
@register("kernel", "LaplacianOfGaussian")
@dataclass(frozen=True, kw_only=True)
class LaplacianOfGaussianKernel(_Sized):
    """-(1 - r^2 / 2 sigma^2) exp(-r^2 / 2 sigma^2) / (pi sigma^4), then of sum zero."""

    sigma: float = parameter("Sigma", _positive_real, _ROOT, "standard deviation", unit="pixels")

    def matrix(self) -> Kernel:
        x, y = _grid(self.size_x, self.size_y)
        ratio = (x * x + y * y) / (2 * self.sigma**2)
        return self._signed(_balanced(-(1 - ratio) * np.exp(-ratio) / (math.pi * self.sigma**4)))


@register("kernel", "DoG")
@register("kernel", "DifferenceOfGaussian")
@dataclass(frozen=True, kw_only=True)
class DifferenceOfGaussianKernel(_Sized):
    """(exp(-r^2 / 2 s1^2) / s1 - exp(-r^2 / 2 s2^2) / s2) / sqrt(2 pi), then of sum zero."""

    sigma1: float = parameter("Sigma1", _positive_real, 2.0, "first standard deviation", unit="pixels")
    sigma2: float = parameter("Sigma2", _positive_real, 1.0, "second standard deviation", unit="pixels")

    def matrix(self) -> Kernel:
        x, y = _grid(self.size_x, self.size_y)
        square = x * x + y * y
        wide = np.exp(-square / (2 * self.sigma1**2)) / self.sigma1
        narrow = np.exp(-square / (2 * self.sigma2**2)) / self.sigma2
        return self._signed(_balanced((wide - narrow) / math.sqrt(2 * math.pi)))


@register("kernel", "Gabor")
@dataclass(frozen=True, kw_only=True)
class GaborKernel(_Sized):
    """A wave of length lambda below a Gaussian, turned by theta, then of sum zero.

    exp(-(x'^2 / s^2 + y'^2 / (s/g)^2) / 2) / (2 pi s s/g) cos(2 pi x' / lambda + psi).
    """

    theta: float = parameter("Theta", real, REQUIRED, "angle of the wave", unit="degrees")
    sigma: float = parameter("Sigma", _positive_real, _ROOT, "standard deviation", unit="pixels")
    wave_length: float = parameter("Lambda", _positive_real, 10.0, "length of the wave", unit="pixels")
    psi: float = parameter("Psi", real, math.pi / 2, "phase; its default is N2D2's 1.5708 degrees", unit="degrees")
    gamma: float = parameter("Gamma", _positive_real, 0.5, "aspect ratio")

    def __post_init__(self) -> None:
        if "psi" not in self.places:
            console.warning(
                f"Kernel.Psi is 1.5708 degrees, N2D2's default, and not a quarter of a period: write Kernel.Psi=90 "
                f"for that, at: {self.place()}"
            )

    def matrix(self) -> Kernel:
        x, y = _grid(self.size_x, self.size_y)
        theta, psi = math.radians(self.theta), math.radians(self.psi)
        along = x * math.cos(theta) + y * math.sin(theta)
        across = y * math.cos(theta) - x * math.sin(theta)
        wide = self.sigma / self.gamma
        bell = np.exp(-(along**2 / self.sigma**2 + across**2 / wide**2) / 2) / (2 * math.pi * self.sigma * wide)
        return self._signed(_balanced(bell * np.cos(2 * math.pi * along / self.wave_length + psi)))


def _grid(columns: int, rows: int) -> tuple[Kernel, Kernel]:
    """Column and row of each element, counted from the middle."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    return x - (columns - 1) / 2, y - (rows - 1) / 2


def _balanced(kernel: Kernel) -> Kernel:
    """Positive elements divided by their sum, the others by the magnitude of theirs."""
    positive_sum = kernel[kernel > 0].sum()
    negative_sum = -kernel[kernel <= 0].sum()
    scale = np.where(kernel > 0, positive_sum or 1.0, negative_sum or 1.0)
    return kernel / scale
