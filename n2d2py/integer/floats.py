"""float32 numbers as integers in the same order, so that a function of them is a function of integers."""

from __future__ import annotations

import numpy as np

LARGEST_BITS = int(np.float32(np.finfo(np.float32).max).view(np.int32))
"""The integer of the largest finite number; that of the smallest is -LARGEST_BITS - 1."""


def bits_of(values: np.ndarray) -> np.ndarray:
    """int64 integers of float32 values, rising with them: -0.0 is -1, 0.0 is 0.

    >>> bits_of(np.array([-1.5, -0.0, 0.0, 1.0], np.float32)).tolist()
    [-1069547521, -1, 0, 1065353216]
    """
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32)
    return np.where(bits >= 0, bits, bits ^ np.int32(0x7FFFFFFF)).astype(np.int64)


def floats_of(bits: np.ndarray) -> np.ndarray:
    """The float32 values of such integers."""
    plain = bits.astype(np.int32)
    return np.where(plain >= 0, plain, plain ^ np.int32(0x7FFFFFFF)).astype(np.int32).view(np.float32)
