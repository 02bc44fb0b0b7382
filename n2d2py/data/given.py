"""Stimuli that a program gives, as arrays or as a torch Dataset, in place of those of a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.databases.numpy_arrays import DEPTHS
from n2d2py.data.partition import SETS
from n2d2py.data.random import Generator
from n2d2py.errors import DataError


class Dataset(Protocol):
    """What is asked of a torch ``Dataset``: pairs of an image and the number of its class."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


Stimuli = tuple[Any, Any] | Dataset
"""(images, labels), or a torch Dataset of such pairs.

Arrays of NumPy are (count, height, width[, channels]), as image files are; torch tensors (count, [channels,] height,
width), as torch has them; two axes are (count, values). Integers are scaled to [0, 1] as those of a database are, real
values stay as they are. A label is the number of its class, -1 for none.
"""


def content_of(sets: Mapping[str, Stimuli | None], generator: Generator) -> Content:
    """The content of the sets Learn, Validation and Test; the label of the class number n has the id n and name "n".

    Everything is in memory. Raises :class:`DataError` for arrays that are no images or no labels.
    """
    found = {name: _arrays(given, name) for name in SETS if (given := sets.get(name)) is not None}
    classes = max((int(labels.max(initial=-1)) + 1 for _, labels in found.values()), default=0)
    content = Content(generator, random=False, label_names=[str(number) for number in range(classes)])
    for name, (images, labels) in found.items():
        content.append(images, labels, name.lower(), suffix="")
        content.partition.move(len(images), name)
    return content


def _arrays(given: Stimuli, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    images, labels = _of_pairs(given, name) if not isinstance(given, tuple) else _of_arrays(given, name)
    if images.ndim == 2:
        images = images[:, np.newaxis, np.newaxis, :]
    if images.dtype == np.float64:
        images = images.astype(np.float32)
    if images.ndim not in (3, 4) or images.dtype.name not in DEPTHS:
        raise DataError(
            f"the images of {name} are {images.dtype.name} of shape {images.shape}",
            expected=f"(count, height, width[, channels]) or (count, values), {', '.join(DEPTHS)}",
            remedy="a torch tensor is (count, channels, height, width)",
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or labels.min(initial=0) < -1:
        raise DataError(
            f"the labels of {name} are {labels.dtype.name} of shape {labels.shape} for {len(images)} images",
            expected="one integer an image, the number of its class; -1 for none",
        )
    return images, labels.astype(np.int64)


def _of_arrays(given: tuple[Any, Any], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    if len(given) != 2:
        raise DataError(f"{len(given)} arrays are given for {name}", expected="two: images and labels")
    images, labels = given
    return _channels_last(images, batched=True), _values(labels)


def _of_pairs(given: Dataset, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    pairs: Sequence[Any] = [given[index] for index in range(len(given))]
    try:
        images = [_channels_last(image, batched=False) for image, _ in pairs]
        labels = [int(label) for _, label in pairs]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the items of the data set of {name} are no pairs: {error}", expected="(image, number of its class)"
        ) from None
    return _stacked(images, name), np.array(labels, np.int64)


def _stacked(images: Iterable[NDArray[Any]], name: str) -> NDArray[Any]:
    try:
        return np.stack(list(images))
    except ValueError as error:
        raise DataError(
            f"the images of {name} cannot be put together: {error}",
            expected="at least one image, all of one size",
            remedy="an INI file with a [database] has transformations that give all images one size",
        ) from None


def _channels_last(images: Any, batched: bool) -> NDArray[Any]:
    """As NumPy has images; a torch tensor, which torch alone has, has its channels first."""
    array = _values(images)
    if hasattr(images, "detach") and array.ndim == 3 + batched:
        return np.moveaxis(array, -3, -1)
    return array


def _values(given: Any) -> NDArray[Any]:
    return np.asarray(given.detach().cpu().numpy() if hasattr(given, "detach") else given)
