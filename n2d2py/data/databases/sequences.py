"""Sequences in arrays of NumPy, normalised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.databases.numpy_arrays import Arrays, NumpyDatabase
from n2d2py.errors import DataError, Place
from n2d2py.kinds import one_of
from n2d2py.parameters import parameter
from n2d2py.registry import register

NORMALIZATIONS = ("None", "ZScore", "Decimal")


@register("database", "Sequence_Database")
@dataclass(frozen=True, kw_only=True)
class SequenceDatabase(NumpyDatabase):
    """Sequences (count, steps, values) in arrays, as Numpy_Database has images. Not a database of N2D2.

    A stimulus is as high as it has steps and as wide as a step has values, float32. What normalises each value is
    found over the sequences of LearnImages, those that validate among them, and is applied to all: ZScore
    (x - mean) / deviation; Decimal x / 10^k, k the least integer with every |x| / 10^k <= 1.
    """

    normalization: str = parameter("Normalization", one_of(*NORMALIZATIONS), "None", "how each value is normalised")

    def _append(self, content: Content, arrays: Arrays, images: str, labels: str, names: list[str] | None) -> None:
        subtract, divide = factors(self._sequences(arrays, self.learn_images), self.normalization)
        values = (self._sequences(arrays, images) - subtract) / divide
        given = _Normalized(arrays, images, values.astype(np.float32))
        super()._append(content, given, images, labels, names)  # type: ignore[arg-type]  # it only reads

    def _sequences(self, arrays: Arrays, name: str) -> NDArray[np.float64]:
        found = arrays[name]
        if found.ndim != 3 or found.dtype.kind not in "iuf":
            raise DataError(
                f"array {name} is {found.dtype.name} of shape {found.shape}",
                place=arrays.place_of(name),
                expected="sequences: (count, steps, values), numbers",
            )
        values = np.asarray(found, np.float64)
        if not np.isfinite(values).all():
            raise DataError(
                f"a value of array {name} is not finite", place=arrays.place_of(name), expected="finite numbers"
            )
        return values


def factors(values: NDArray[np.float64], normalization: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is subtracted from each value of a step, and what the difference is divided by, (values)."""
    flat = values.reshape(-1, values.shape[-1])
    zeros, ones = np.zeros(flat.shape[1]), np.ones(flat.shape[1])
    if normalization == "None" or not len(flat):
        return zeros, ones
    if normalization == "ZScore":
        deviation = flat.std(0)
        return flat.mean(0), np.where(deviation > 0, deviation, 1.0)
    largest = np.abs(flat).max(0)
    powers = np.ceil(np.log10(np.where(largest > 0, largest, 1.0)))
    return zeros, 10.0**powers


class _Normalized:
    """Arrays of which one has other values."""

    def __init__(self, arrays: Arrays, name: str, values: NDArray[np.float32]) -> None:
        self._arrays, self._name, self._values = arrays, name, values

    @property
    def file(self) -> Path:
        """That of the arrays."""
        return self._arrays.file

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def place_of(self, name: str) -> Place:
        """Where an array stands."""
        return self._arrays.place_of(name)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._values if name == self._name else self._arrays[name]
