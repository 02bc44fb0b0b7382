"""ApodizationTransformation: rows that fade out towards both ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import saturated
from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of, positive, real, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_WINDOWS = ("Rectangular", "Hann", "Hamming", "Cosine", "Gaussian", "Blackman", "Kaiser")


@register("transformation", "ApodizationTransformation")
@dataclass(frozen=True, kw_only=True)
class ApodizationTransformation(ImageTransformation):
    """Each row is multiplied by a symmetric window w(n), n = 0 ... N - 1, of N columns.

    With t = 2 pi n / (N - 1): Hann .5 - .5 cos t; Hamming .54 - .46 cos t; Cosine sin(t / 2); Blackman
    (1 - a)/2 - cos(t)/2 + a cos(2t)/2; Gaussian exp(-((2n/(N - 1) - 1) / s)^2 / 2); Kaiser
    I0(b sqrt(1 - (2n/(N - 1) - 1)^2)) / I0(b). Harris, "On the use of windows for harmonic analysis with the
    discrete Fourier transform", Proc. IEEE 66(1), 1978.
    """

    size: int = parameter("Size", positive, REQUIRED, "columns of the image", unit="pixels")
    window_name: str = parameter("WindowName", one_of(*_WINDOWS), "Rectangular", "shape of the window")
    sigma: float = parameter("WindowName.Sigma", real_between(0, math.inf, low_open=True), 0.4, "s of Gaussian")
    alpha: float = parameter("WindowName.Alpha", real, 0.16, "a of Blackman")
    beta: float = parameter("WindowName.Beta", real, 5.0, "b of Kaiser")

    def out_dims(self, dims: Dims) -> Dims:
        if dims[0] != self.size:
            raise ParameterError(
                f"an image of {dims[0]} columns meets a window of {self.size}",
                place=self.place("size"),
                expected=f"Size={dims[0]}",
            )
        return dims

    @cached_property
    def window(self) -> NDArray[np.float64]:
        """The window: (Size)."""
        if self.size == 1:
            return np.ones(1)
        part = np.arange(self.size) / (self.size - 1)
        turn = 2 * math.pi * part
        match self.window_name:
            case "Hann":
                return 0.5 - 0.5 * np.cos(turn)
            case "Hamming":
                return 0.54 - 0.46 * np.cos(turn)
            case "Cosine":
                return np.sin(turn / 2)
            case "Gaussian":
                return np.exp(-(((2 * part - 1) / self.sigma) ** 2) / 2)
            case "Blackman":
                return (1 - self.alpha) / 2 - np.cos(turn) / 2 + self.alpha * np.cos(2 * turn) / 2
            case "Kaiser":
                return np.kaiser(self.size, self.beta)
        return np.ones(self.size)

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        height, width, channels = image.shape
        self.out_dims((width, height, channels))
        return saturated(image * self.window[:, np.newaxis], image.dtype)
