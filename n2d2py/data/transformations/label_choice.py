"""A label that is drawn among those of an image, and a place where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import DataError

RANDOM = -1
"""The label that stands for one that is drawn."""


def labels_of(frame: Frame, transformation: Transformation) -> NDArray[np.int32]:
    """Labels of the pixels, (height, width). Raises :class:`DataError` if the stimulus has one label only."""
    if frame.labels.shape != frame.image.shape[:2]:
        rows, columns = frame.labels.shape
        height, width, _ = frame.image.shape
        raise DataError(
            f"stimulus {frame.stimulus} has {columns}x{rows} labels, but {width}x{height} pixels",
            place=transformation.place(),
            expected="a label of each pixel",
            remedy="CompositeLabel=Default in [database], or an ExpandLabelTransformation before",
        )
    return frame.labels


def draw_label(labels: NDArray[np.int32], shares: Mapping[int, float] | None, draws: Draws) -> int | None:
    """One of the labels of an image from 0 on, in proportion to ``shares`` or all alike; None if there is none."""
    present = [int(label) for label in np.unique(labels) if label >= 0]
    if shares is not None:
        present = [label for label in present if shares.get(label, 0) > 0]
    part = float(draws.below_one()[0])
    if not present:
        return None
    weights = np.array([1.0 if shares is None else shares[label] for label in present])
    index = int(np.searchsorted(np.cumsum(weights) / weights.sum(), part, side="right"))
    return present[min(index, len(present) - 1)]


def draw_pixel(mask: NDArray[np.bool_], draws: Draws) -> tuple[int, int] | None:
    """Column and row of one of the pixels of a mask; None if it is empty."""
    part = float(draws.below_one()[0])
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    index = min(int(part * len(rows)), len(rows) - 1)
    return int(columns[index]), int(rows[index])


def centres(shape: tuple[int, int], columns: int, rows: int) -> NDArray[np.bool_]:
    """The pixels of an image of ``shape`` about which a slice lies inside: its middle is size // 2."""
    height, width = shape
    mask = np.zeros(shape, np.bool_)
    bottom, right = height - rows + rows // 2 + 1, width - columns + columns // 2 + 1
    mask[rows // 2 : max(bottom, 0), columns // 2 : max(right, 0)] = True
    return mask
