"""Constants beside a feature: one number, or one for each channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from n2d2py.onnx_import.node import UnsupportedError


def by_channel(values: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A constant as one number or as one a channel of a tensor of ``shape``; raises :class:`UnsupportedError`."""
    if values.size and np.all(values == np.ravel(values)[0]):
        return np.ravel(values)[:1]
    form = (1,) * (len(shape) - values.ndim) + values.shape
    if len(form) != len(shape) or len(form) < 2 or values.size != form[1] or form[1] != shape[1]:
        told = "x".join(map(str, values.shape))
        raise UnsupportedError(f"its constant of {told} is neither one number nor one for each channel")
    return np.ravel(values)


def number(value: float) -> str:
    """A float32 as an INI file has it: the shortest text that means it.

    >>> number(0.100000001490116)
    '0.1'
    """
    return str(np.float32(value))


def numbers(values: np.ndarray) -> str:
    """The numbers as an INI file has them."""
    return " ".join(f"{float(value):.9g}" for value in values)
