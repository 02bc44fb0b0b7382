"""The step function with an integer bias: what BatchNorm and bias do becomes (acc + B[c]) * m[c].

This is how integer frameworks hold a quantized layer: B is an int32 in units of the accumulator, m a float32. The real
bias is rounded to whole accumulators, so that codes may differ from those of the real bias by what half an accumulator
changes; in exchange ONNX Runtime's QLinearConv computes the very function, whatever the bits.

QLinearConv multiplies in float32, where a product that lies within half a rounding of a half-way point k + 1/2 falls
on it. m is therefore the float32 next to the real slope with which the rounded and the exact product have the same
code at every edge, if one of the ``_TRIALS`` nearest has; then all machines agree. If none has (edges that span more
than about 2^21 accumulators), m is the nearest float32: the step is still exactly (acc + B) * m, and only a machine
that multiplies in float32 differs from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.quant.grid import Grid, along_channels

MOST_BIAS = 1 << 48
"""A channel with a larger bias is a constant: beside it accumulators of 30 bits are nothing."""
_TRIALS = 2048
_AT_ONCE = 64
_WIDEST = 1 << 22
"""Accumulators from the first to the last edge above which no slope is searched for."""


@dataclass(frozen=True, eq=False)
class Line:
    """(acc + bias) * slope + constant in units of codes; float64 (channels), or (1) for all of them.

    ``biases`` are integers, ``slopes`` float32 numbers. ``constants`` are 0 but where the slope is 0.
    """

    biases: Tensor
    slopes: Tensor
    constants: Tensor

    def __call__(self, accumulators: Tensor, axis: int) -> Tensor:
        """What is rounded to codes: exact where |acc + B| is below 2^29, as near all edges; monotone everywhere."""
        dims = accumulators.dim()
        biases, slopes, constants = (
            along_channels(part, dims, axis).to(accumulators.device)
            for part in (self.biases, self.slopes, self.constants)
        )
        return (accumulators.double() + biases).mul_(slopes).add_(constants)


def nearest_line(slopes: Tensor, offsets: Tensor, grid: Grid) -> Line:
    """The line next to ``acc * slope + offset``, float64 (channels) in units of codes of ``grid``."""
    real = torch.where(slopes == 0, torch.inf, offsets / slopes)
    flat = ~(real.abs() < MOST_BIAS)  # also what is not a number
    biases = torch.where(flat, 0.0, torch.round(real))
    even = grid.step == 1 and not grid.uneven
    ideal = torch.where(flat, 0.0, slopes).cpu().numpy()
    found = _slopes(ideal.tobytes(), grid.magnitude if even else 0)
    return Line(biases, torch.from_numpy(found.copy()).to(slopes.device), torch.where(flat, offsets, 0.0))


@lru_cache(maxsize=512)
def _slopes(ideal: bytes, highest: int) -> NDArray[np.float64]:
    """The float32 slopes next to the real ones; ``highest``: of the codes' magnitude, 0 for codes with gaps."""
    wanted = np.frombuffer(ideal, np.float64)
    nearest = wanted.astype(np.float32)
    result = nearest.astype(np.float64)
    left = np.flatnonzero((result != 0) & (highest <= _WIDEST * np.abs(result)) & np.isfinite(result))
    edges = np.arange(highest, dtype=np.float64) + 0.5
    for start in range(0, _TRIALS, _AT_ONCE):
        if not len(left) or not highest:
            break
        numbers = np.arange(start, start + _AT_ONCE, dtype=np.int32)
        away = (numbers + 1) // 2 * np.where(numbers % 2, 1, -1).astype(np.int32)  # 0, 1, -1, 2, -2, ...
        tried = (np.abs(nearest[left]).view(np.int32)[:, None] + away).view(np.float32).astype(np.float64)
        right = np.stack([_agrees(row, edges) for row in tried])
        some = right.any(axis=1)
        chosen = tried[some, right[some].argmax(axis=1)]
        result[left[some]] = np.copysign(chosen, wanted[left[some]])
        left = left[~some]
    result.flags.writeable = False
    return result


def _agrees(slopes: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether products rounded to float32 have the codes of the exact ones, before and after each edge."""
    before = np.floor(edges / slopes[:, None])
    points = np.stack([before, before + 1])
    exact = points * slopes[:, None]  # 24 bits times 24 bits
    return np.asarray(np.all(np.rint(exact) == np.rint(exact.astype(np.float32)), axis=(0, 2)))
