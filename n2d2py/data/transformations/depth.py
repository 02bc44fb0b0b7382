"""The depth of images: the type of their values, N2D2's name of it, and its full scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import ParameterError

NAMES = {
    "uint8": "8U",
    "int8": "8S",
    "uint16": "16U",
    "int16": "16S",
    "int32": "32S",
    "float32": "32F",
    "float64": "64F",
}
"""N2D2's name of each type of values."""

_OF_TYPE = {np.dtype(name): word for name, word in NAMES.items()}  # to ask a type for its name takes many times longer


def full_scale(dtype: np.dtype[Any]) -> float:
    """The highest value of an integer depth; 1 for reals."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def saturated(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Reals as values of a depth: for integers rounded half to even and clipped, as OpenCV's saturate_cast."""
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype)
    bounds = np.iinfo(dtype)
    return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)


def require_depth(transformation: Transformation, dtype: np.dtype[Any], *names: str) -> None:
    """Raise :class:`ParameterError` unless ``dtype`` is one of the depths called ``names``."""
    name = _OF_TYPE.get(dtype) or NAMES.get(dtype.name, dtype.name)
    if name not in names:
        raise ParameterError(
            f"{type(transformation).__name__} cannot transform images of depth {name}",
            place=transformation.place(),
            expected=f"images of depth {', '.join(names)}",
            remedy="a RangeAffineTransformation (to 32F) before or after it decides the depth",
        )


def require_channels(transformation: Transformation, channels: int, *counts: int) -> None:
    """Raise :class:`ParameterError` unless ``channels`` is one of ``counts``."""
    if channels not in counts:
        raise ParameterError(
            f"{type(transformation).__name__} cannot transform images of {channels} channels",
            place=transformation.place(),
            expected=f"{' or '.join(str(count) for count in counts)} channels",
            remedy="ColorSpaceTransformation or ChannelExtractionTransformation before it changes the channels",
        )
