"""Transformations from the lines of a section, and stimuli to transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import n2d2py.data.transformations  # noqa: F401 - registers all of them
from n2d2py import ini, registry
from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.rois import Roi
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import ParameterError
from n2d2py.parameters import read


def one(kind: str, *lines: str) -> Transformation:
    """The transformation of that type, without the word at its end, with these lines."""
    text = "\n".join(("[sp.Transformation]", f"Type={kind}Transformation", *lines))
    scope = ini.loads(text + "\n", file="net.ini").scope("sp.Transformation")
    scope.find("Type")
    record = read(registry.find("transformation", f"{kind}Transformation"), scope)
    scope.close(strict=True)
    return record


def refused(kind: str, *lines: str) -> str:
    """The error of a section."""
    with pytest.raises(ParameterError) as error:
        one(kind, *lines)
    text = str(error.value)
    assert "net.ini" in text
    assert "[sp.Transformation]" in text
    return text


def draws(count: int = 1, seed: int = 1, first: int = 0) -> Draws:
    return Draws.of(seed, 7, range(first, first + count))


def stimulus(image: Any, labels: Any = None, rois: tuple[Roi, ...] = ()) -> Frame:
    """A stimulus with the label 3, or with labels of its pixels."""
    array = np.asarray(image)
    numbers = np.array([[3]] if labels is None else labels, np.int32)
    return Frame(array if array.ndim == 3 else array[..., np.newaxis], numbers, rois, 12)


def changed(transformation: Transformation, image: Any, seed: int = 1) -> np.ndarray:
    """The image after a transformation; without the axis of a single channel."""
    result = transformation.transform(stimulus(image), draws(seed=seed)).image
    return result[..., 0] if result.shape[2] == 1 else result


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 3) -> np.ndarray:
    """Random values: of all integers of a depth, or of [0, 1)."""
    generator = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating):
        return generator.random(shape).astype(dtype)
    bounds = np.iinfo(dtype)
    return generator.integers(bounds.min, int(bounds.max) + 1, shape).astype(dtype)
