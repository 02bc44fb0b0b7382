"""Sections of statistics, ``[sp.StimuliData...]``: extremes, mean and deviation of all values of some sets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.partition import APPLY_TO
from n2d2py.graph.files import write
from n2d2py.kinds import boolean, one_of
from n2d2py.parameters import Record, parameter

KEYS = ("_GlobalValue.minVal", "_GlobalValue.maxVal", "_GlobalValue.mean", "_GlobalValue.stdDev")
"""What a section publishes, readable by the sections below it."""

STAND_INS = (0.0, 255.0, 127.5, 64.0)
"""Values in place of those of data that are not there."""

_DEPTH_CODES = {
    "uint8": 0,
    "int8": 1,
    "uint16": 2,
    "int16": 3,
    "int32": 4,
    "float32": 5,
    "float64": 6,
}


@dataclass(frozen=True, kw_only=True)
class StimuliData(Record):
    """What a section of statistics asks for."""

    apply_to: str = parameter("ApplyTo", one_of(*APPLY_TO), "All", "sets whose stimuli are looked at")
    log_size_range: bool = parameter("LogSizeRange", boolean, False, "1: write how large the images are")
    log_value_range: bool = parameter("LogValueRange", boolean, False, "1: write the extremes of each image")
    mean_data: bool = parameter("MeanData", boolean, False, "1: write the mean image, and publish _MeanData")
    std_dev_data: bool = parameter("StdDevData", boolean, False, "1: write the deviation of each value, _StdDevData")

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets that are looked at."""
        return APPLY_TO[self.apply_to]


@dataclass
class Moments:
    """Mean and squared deviations of what was added so far, in float64, without a second pass.

    Parts are joined as Chan, Golub and LeVeque do ("Updating formulae and a pairwise algorithm for computing
    sample variances", 1979, equation 2.1).
    """

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray[Any]) -> None:
        """More values of any shape."""
        count = values.size
        if not count:
            return
        reals = values.astype(np.float64, copy=False)
        mean = float(reals.mean())
        squares = float(((reals - mean) ** 2).sum())
        difference, total = mean - self.mean, self.count + count
        self.mean += difference * count / total
        self.squares += squares + difference**2 * self.count * count / total
        self.count = total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample: the divisor is count - 1."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0


@dataclass
class Statistics:
    """What the walk over the stimuli found; images of one size also give a mean image."""

    moments: Moments = field(default_factory=Moments)
    sizes: dict[tuple[int, int, int], int] = field(default_factory=dict)
    ranges: list[tuple[int, float, float]] = field(default_factory=list)
    images: int = 0
    sum: NDArray[np.float64] | None = None
    sum_of_squares: NDArray[np.float64] | None = None

    def add(self, image: NDArray[Any], stimulus: int, by_place: bool = False, ranges: bool = False) -> None:
        """One image (height, width, channels). ``by_place``: for the mean image too."""
        self.moments.add(image)
        height, width, channels = image.shape
        self.sizes[width, height, channels] = self.sizes.get((width, height, channels), 0) + 1
        self.images += 1
        if ranges:
            self.ranges.append((stimulus, float(image.min()), float(image.max())))
        if by_place and len(self.sizes) == 1:
            reals = image.astype(np.float64)
            if self.sum is None or self.sum_of_squares is None:
                self.sum, self.sum_of_squares = np.zeros_like(reals), np.zeros_like(reals)
            self.sum += reals
            self.sum_of_squares += reals**2

    @property
    def values(self) -> tuple[float, float, float, float]:
        """In the order of :data:`KEYS`; zeros without any image."""
        found = self.moments
        return (found.low, found.high, found.mean, found.deviation) if found.count else (0.0, 0.0, 0.0, 0.0)

    def mean_image(self) -> NDArray[np.float64] | None:
        """The mean of each value, None if the images differ in size."""
        return self.sum / self.images if self.sum is not None and len(self.sizes) == 1 else None

    def deviation_image(self) -> NDArray[np.float64] | None:
        """The deviation of each value (divisor: images - 1), None if the images differ in size."""
        mean = self.mean_image()
        if mean is None or self.sum_of_squares is None:
            return None
        return np.sqrt(np.maximum(self.sum_of_squares - self.images * mean**2, 0) / max(self.images - 1, 1))


def rounded(value: float) -> str:
    """A number with six significant digits, as a section publishes it.

    >>> rounded(33.318421), rounded(255.0)
    ('33.3184', '255.000')
    """
    return format(value, "#.6g")


def matrix_bytes(image: NDArray[Any]) -> bytes:
    """An image in N2D2's binary format: rows, columns and OpenCV's code of the type as int32, then the values."""
    rows, columns, channels = image.shape
    code = _DEPTH_CODES[image.dtype.name] + 8 * (channels - 1)
    return np.array([rows, columns, code], "<i4").tobytes() + np.ascontiguousarray(image).tobytes()


def write_images(name: str, record: StimuliData, found: Statistics) -> None:
    """Write the images that the section ``name`` asks for into the folder of its name, if all stimuli have one size."""
    for wanted, file, image in (
        (record.mean_data, "meanData.bin", found.mean_image()),
        (record.std_dev_data, "stdDevData.bin", found.deviation_image()),
    ):
        if wanted and image is not None:
            write(Path(name) / file, matrix_bytes(image))


def table(statistics: Statistics, sizes: bool = False) -> str:
    """``data.dat``: what was found, and what the section asked to log; ``sizes``: how large the images are."""
    lines = []
    if sizes:
        lines += ["# images width height channels"]
        lines += [f"{count} {w} {h} {c}" for (w, h, c), count in sorted(statistics.sizes.items())]
    lines += ["# minVal maxVal mean stdDev", " ".join(rounded(value) for value in statistics.values)]
    return "\n".join([*lines, *_ranges(statistics.ranges), ""])


def _ranges(ranges: Iterable[tuple[int, float, float]]) -> list[str]:
    lines = [f"{stimulus} {low:.6g} {high:.6g}" for stimulus, low, high in ranges]
    return ["# stimulus minVal maxVal", *lines] if lines else []
