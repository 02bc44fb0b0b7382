"""Images taken out of memory in any order; bytes that are only scaled become reals in the same step."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.conversion import Conversion, Scaled

_ALL = 255  # the largest byte


def rows_of(planes: Tensor, rows: NDArray[np.int64]) -> Tensor:
    """A copy of some rows (len(rows), ...) of a contiguous tensor, on its device."""
    if planes.device.type != "cpu":
        return torch.index_select(planes, 0, torch.from_numpy(rows).to(planes.device))
    # NumPy copies each row as one piece; torch begins a loop over its values for each of them.
    return torch.from_numpy(planes.numpy().take(rows, 0))


def scaled_rows(planes: Tensor, rows: NDArray[np.int64]) -> Tensor:
    """Some rows of bytes in the memory of the CPU, times float32(1 / 255): float32 (len(rows), ...).

    OpenCV's normalization x / max |x| makes reals of bytes and scales them in one pass over the memory. It is given
    one byte more than the rows have, the largest there is, so that the maximum is the same in each batch.
    """
    import cv2

    images = planes.numpy()
    shape = (len(rows), *images.shape[1:])
    held = np.empty(math.prod(shape) + 1, np.uint8)
    held[-1] = _ALL
    # With mode "raise" NumPy would go through a copy, so that nothing is written if a row does not exist.
    images.take(rows, 0, held[:-1].reshape(shape), "clip")
    reals = cv2.normalize(held, np.empty(0, np.float32), 1.0, 0.0, cv2.NORM_INF, cv2.CV_32F)
    return torch.from_numpy(reals.reshape(-1)[:-1].reshape(shape))


def scales_in_one_pass(conversion: Conversion, planes: Tensor) -> bool:
    """Whether :func:`scaled_rows` gives, bit for bit, what ``conversion`` makes of rows of ``planes``."""
    return (
        isinstance(conversion, Scaled)
        and conversion.offset == 0
        and conversion.grid.scale == 1 / _ALL
        and planes.dtype == torch.uint8
        and planes.device.type == "cpu"
        and _is_exact()
    )


@functools.cache
def _is_exact() -> bool:
    """Whether this OpenCV, if there is one, multiplies all bytes as torch does, in long rows and at their ends."""
    bytes_ = torch.arange(_ALL + 1, dtype=torch.uint8).repeat(16).view(16, -1)
    try:
        found = scaled_rows(bytes_, np.arange(16))
    except ImportError:
        return False
    return torch.equal(found, bytes_.to(torch.float32).mul_(1 / _ALL))
