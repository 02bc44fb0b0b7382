"""Histograms of magnitudes that grow with what they see: one pass over the values, whatever their range."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.parts.quantizers import power_above

BINS = 4096


@dataclass(eq=False)
class Histogram:
    """How often each magnitude |x| was seen: bin i counts ``i * width <= |x| < (i + 1) * width``, 0 apart.

    ``width`` is a power of two, so that bins of twice the width are exact sums of two: a value beyond the last bin
    doubles it. All values that were seen lie in [``low``, ``high``].
    """

    width: float = 0.0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    zeros: int = 0
    low: float = 0.0
    high: float = 0.0

    @property
    def largest(self) -> float:
        """The largest magnitude that was seen."""
        return max(-self.low, self.high)

    @property
    def total(self) -> int:
        """How many values were seen."""
        return self.zeros + int(self.counts.sum())

    @torch.no_grad()
    def add(self, values: Tensor) -> None:
        """Count the values of a tensor. Raises ValueError for one that is not finite."""
        if not values.numel():
            return
        low, high = (float(end) for end in torch.aminmax(values))
        if not np.isfinite([low, high]).all():
            raise ValueError(f"values from {low} to {high}")
        seen = self.total > 0
        self.low, self.high = (min(self.low, low), max(self.high, high)) if seen else (low, high)
        magnitudes = values.detach().abs().flatten()
        positive = magnitudes[magnitudes > 0]
        self.zeros += magnitudes.numel() - positive.numel()
        if not positive.numel():
            return
        self._reach(float(positive.max()))
        places = (positive.double() / self.width).long()
        self.counts += torch.bincount(places, minlength=BINS).cpu().numpy()

    def _reach(self, magnitude: float) -> None:
        """Make the bins wide enough for a magnitude."""
        if self.width == 0.0:
            self.width = power_above(magnitude) / BINS
        while magnitude >= self.width * BINS:
            pairs = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([pairs, np.zeros(BINS // 2, dtype=np.int64)])
            self.width *= 2.0

    @property
    def used(self) -> NDArray[np.int64]:
        """The counts up to that of the largest magnitude."""
        filled = np.flatnonzero(self.counts)
        return self.counts[: int(filled[-1]) + 1] if len(filled) else self.counts[:0]

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middle of each bin of :attr:`used`."""
        places: NDArray[np.float64] = np.arange(len(self.used), dtype=np.float64)
        return (places + 0.5) * self.width

    def beyond(self, threshold: float) -> float:
        """The share of the values that lie in bins beyond a threshold."""
        past = int(self.used[self.centers > threshold].sum())
        return past / self.total if self.total else 0.0


def of_values(values: Tensor) -> Histogram:
    """The histogram of one tensor."""
    histogram = Histogram()
    histogram.add(values)
    return histogram
