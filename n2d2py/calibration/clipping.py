"""Where a range is clipped: the largest magnitude that keeps a code of its own, from a histogram.

What lies beyond the threshold t gets the highest code; a smaller t clips more, and makes the step t / levels finer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from n2d2py.calibration.histogram import BINS, Histogram

WEIGHT_MODES = ("None", "MSE", "KL-Divergence")
ACTIVATION_MODES = (*WEIGHT_MODES, "Quantile")

_CANDIDATES = 1000
_FEWEST = 50
"""Candidates of the divergence where there are few values, as among the weights of one output: a quarter of these."""
_FINEST = BINS // 4
"""Positive codes above which a bin is no longer fine beside a step: a search would see only the bins."""
_AT_ONCE = 1 << 20
_TINY = 1e-12


def clip(mode: str, histogram: Histogram, levels: int, quantile: float = 1.0) -> float:
    """The threshold that ``mode`` chooses for magnitudes that get the codes 0 .. ``levels``.

    ``None`` takes the largest magnitude; ``MSE`` and ``KL-Divergence`` the best of 1000 candidates (the latter of fewer
    for few values), for up to 1024 levels; ``Quantile`` the least with ``quantile`` of all values other than 0 within
    it. Without a value other than 0 it is 1.
    """
    if histogram.largest <= 0.0:
        return 1.0
    if mode == "Quantile":
        return _quantile(histogram, quantile)
    if mode == "None" or levels > _FINEST:
        return histogram.largest
    search: Callable[[Histogram, int], float] = {"MSE": _least_squares, "KL-Divergence": _least_divergence}[mode]
    return search(histogram, levels)


def _quantile(histogram: Histogram, quantile: float) -> float:
    reached = np.cumsum(histogram.used)
    place = int(np.searchsorted(reached, quantile * int(reached[-1])))
    return min(histogram.largest, (place + 1) * histogram.width)


def _least_squares(histogram: Histogram, levels: int) -> float:
    """The candidate with the least sum of (x - quantized x)^2, x being the middles of the bins.

    Candidates are largest * i / 1000; of equal ones the largest is taken.
    """
    filled = histogram.used > 0
    values, counts = histogram.centers[filled], histogram.used[filled].astype(np.float64)
    values = np.minimum(values, histogram.largest)
    thresholds = histogram.largest * np.arange(_CANDIDATES, 0, -1) / _CANDIDATES
    errors = []
    for part in np.array_split(thresholds, max(1, _CANDIDATES * len(values) // _AT_ONCE)):
        steps = part[:, np.newaxis] / levels
        quantized = np.minimum(np.rint(values / steps), levels) * steps
        errors.append(np.square(values - quantized) @ counts)
    return float(thresholds[int(np.concatenate(errors).argmin())])


def _least_divergence(histogram: Histogram, levels: int) -> float:
    """The candidate that loses least information (Migacz 2017, "8-bit inference with TensorRT").

    Of n bins P is the histogram with all that lies beyond in its last bin; Q has the counts within n, those of the bins
    of one code shared evenly among those of them that are not empty. The candidate is the end of the n-th bin with the
    least sum of P log(P / Q).
    """
    used = histogram.used
    if len(used) <= levels:
        return histogram.largest
    candidates = min(_CANDIDATES, max(_FEWEST, histogram.total // 4))
    ends = np.unique(np.linspace(len(used), levels, candidates).astype(np.int64))[::-1]
    divergences = [divergence(used, int(end), levels) for end in ends]
    best = int(ends[int(np.argmin(divergences))])
    return min(histogram.largest, best * histogram.width)


def divergence(counts: NDArray[np.int64], end: int, levels: int) -> float:
    """The Kullback-Leibler divergence of the counts clipped to ``end`` bins and those bins on ``levels`` codes."""
    inside = counts[:end].astype(np.float64)
    reference = inside.copy()
    reference[-1] += counts[end:].sum()
    filled = inside > 0
    codes = np.arange(end) * levels // end
    sums = np.bincount(codes, weights=inside, minlength=levels)
    shares = np.bincount(codes, weights=filled, minlength=levels)
    coarse = np.where(filled, (sums / np.maximum(shares, 1.0))[codes], 0.0)
    reference /= reference.sum()
    coarse /= max(coarse.sum(), _TINY)
    seen = reference > 0
    return float(np.sum(reference[seen] * np.log(reference[seen] / np.maximum(coarse[seen], _TINY))))
