"""Images of several files or of another depth than the first one of the database."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data import readers
from n2d2py.errors import DataError, ParameterError, Place

DEPTHS = {
    "uint8": "8U", "int8": "8S", "uint16": "16U", "int16": "16S", "int32": "32S", "float32": "32F", "float64": "64F",
}  # fmt: skip
"""OpenCV's words for the types of values."""

_FULL_SCALE = {"uint8": 255, "int8": 127, "uint16": 65535, "int16": 32767, "int32": 2**31 - 1}


def full_scale(dtype: np.dtype[Any]) -> float:
    """The value that stands for 1: the largest integer of the type; 1 for reals."""
    return _FULL_SCALE.get(dtype.name, 1)


def to_depth(image: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An image in another depth: times the ratio of the full scales, rounded half to even and saturated."""
    if image.dtype == dtype:
        return image
    values = image.astype(np.float64) * (full_scale(dtype) / full_scale(image.dtype))
    if np.issubdtype(dtype, np.integer):
        bounds = np.iinfo(dtype)
        values = np.clip(np.rint(values), bounds.min, bounds.max)
    return values.astype(dtype)


def merge(path: str, image: NDArray[Any], match: str, names: tuple[str, ...]) -> NDArray[Any]:
    """The channels of a stimulus that has one file each: MultiChannelMatch and MultiChannelReplace.

    ``match`` is a pattern that the whole path must match; each of ``names`` replaces it to give the path of a
    channel ($1 is the first group). A file that does not exist is a channel of zeros. Raises DataError for
    channels that differ in size or depth.
    """
    channels = paths(path, match, names)
    planes = []
    for channel in channels:
        if channel == path:
            plane = image
        elif os.path.exists(channel):
            plane = readers.read(channel)
        else:
            plane = np.zeros_like(image)
        if plane.shape[:2] != image.shape[:2] or plane.dtype != image.dtype:
            raise DataError(
                f"a channel is {_words(plane)}, the image of reference {path} is {_words(image)}",
                place=Place(file=channel),
                expected="files of one size and depth for the channels of one stimulus",
            )
        planes.append(plane)
    return np.concatenate(planes, axis=2) if planes else image


def paths(path: str, match: str, names: tuple[str, ...]) -> list[str]:
    """The paths of the channels of a stimulus; none if its own path does not match."""
    try:
        found = re.fullmatch(match, path)
    except re.error as error:
        raise ParameterError(
            f"MultiChannelMatch={match} is not a regular expression: {error}", expected="a pattern of paths"
        ) from None
    if found is None:
        return []
    templates = [re.sub(r"\$(\d+|&)", lambda group: _group(group[1]), name.replace("\\", r"\\")) for name in names]
    return [found.expand(template) for template in templates]


def _group(number: str) -> str:
    return r"\g<0>" if number == "&" else rf"\g<{number}>"


def _words(image: NDArray[Any]) -> str:
    height, width = image.shape[:2]
    return f"{width}x{height} {DEPTHS.get(image.dtype.name, image.dtype.name)}"
