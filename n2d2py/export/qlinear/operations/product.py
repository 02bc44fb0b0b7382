"""What convolutions, transposed ones and matrix products have in common when they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.export.qlinear.graph import Value
from n2d2py.integer.operations import Pooling

PAIR = (1 << 15) - 1
"""Kernels for u8 x s8 may add two products in 16 bits, with saturation: both together must stay below."""


@dataclass(frozen=True, eq=False)
class Product:
    """A convolution as ONNX writes it: weights (outputs, inputs of a group, height, width), input, attributes.

    ``is_matrix``: it is a matrix product, of one place.
    """

    weights: np.ndarray
    value: Value
    attributes: dict[str, Any]
    transposed: bool = False
    is_matrix: bool = False

    @property
    def sums(self) -> int:
        """Largest sum of |weight| over an output."""
        return int(np.abs(self.weights.reshape(len(self.weights), -1)).sum(axis=1).max(initial=0))

    @property
    def is_small(self) -> bool:
        """Whether the weights fit a byte."""
        return int(self.weights.min(initial=0)) >= -128 and int(self.weights.max(initial=0)) <= 127


def windows(operation: Pooling) -> dict[str, Any]:
    """The attributes of a window."""
    (width, height), (sx, sy), (px, py) = (
        (pair[0], pair[1]) for pair in (operation.pool, operation.stride, operation.padding)
    )
    return {"kernel_shape": [height, width], "strides": [sy, sx], "pads": [py, px, py, px]}
