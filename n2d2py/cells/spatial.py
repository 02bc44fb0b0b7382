"""Kernels and windows that slide over width, height and depth: sizes of the output and counts of taps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from n2d2py.cells.base import Cell, Dims
from n2d2py.errors import GraphError

Axes = tuple[int, int, int]
"""One number for each axis: X, Y, Z."""


class Geometry(NamedTuple):
    """A window and how it slides, along X, Y and Z; an axis that the cell does not name has a window of 1."""

    window: Axes
    stride: Axes
    padding: Axes
    dilation: Axes = (1, 1, 1)

    @property
    def in_space(self) -> bool:
        """Whether the window is larger than 1 along Z, or the input is padded there."""
        return self.window[2] > 1 or self.padding[2] != 0

    @property
    def reach(self) -> Axes:
        """Values from the first to the last that the window covers: dilation (k - 1) + 1."""
        x, y, z = (gap * (size - 1) + 1 for gap, size in zip(self.dilation, self.window, strict=True))
        return x, y, z

    def outputs(self, cell: Cell, dims: Dims) -> Axes:
        """(width, height, depth) of the output: floor((in + 2 padding - reach + stride) / stride).

        Raises :class:`GraphError` where the window does not fit on the input.
        """
        sizes = []
        for axis, size in enumerate((dims.width, dims.height, dims.depth)):
            reach, padding = self.reach[axis], self.padding[axis]
            free = size + 2 * padding - reach
            if free < 0:
                raise GraphError(
                    f"{cell.type_name} cell {cell.name}: a window of {reach} does not fit on an input of {size}"
                    + (f" padded by {padding}" if padding else "")
                    + f" along {'XYZ'[axis]}",
                    place=cell.place(),
                    expected=f"an input of at least {reach - 2 * padding}; this one is {sizes_text(dims)}",
                )
            sizes.append(free // self.stride[axis] + 1)
        return sizes[0], sizes[1], sizes[2]

    def spread(self, cell: Cell, dims: Dims) -> Axes:
        """(width, height, depth) of what the output of this window's slide would be spread over again.

        (in - 1) stride + reach - 2 padding, the size of a Deconv or Unpool; raises :class:`GraphError` below 1.
        """
        sizes = []
        for axis, size in enumerate((dims.width, dims.height, dims.depth)):
            length = (size - 1) * self.stride[axis] + self.reach[axis] - 2 * self.padding[axis]
            if length < 1:
                raise GraphError(
                    f"{cell.type_name} cell {cell.name}: a padding of {self.padding[axis]} leaves nothing "
                    f"along {'XYZ'[axis]}",
                    place=cell.place("padding"),
                    expected=f"a padding below {(length + 2 * self.padding[axis] + 1) // 2}",
                )
            sizes.append(length)
        return sizes[0], sizes[1], sizes[2]

    def taps(self, dims: Dims, output: Dims) -> int:
        """Taps of all positions of ``output`` that fall on an input of ``dims`` and not on its padding."""
        return math.prod(
            valid_taps(length, count, window, stride, padding, dilation)
            for length, count, window, stride, padding, dilation in zip(
                (dims.width, dims.height, dims.depth), (output.width, output.height, output.depth), *self, strict=True
            )
        )


def geometry(cell: Cell, window: str, **fields: str) -> Geometry:
    """The geometry of a cell from its fields of two or three axes.

    ``window`` names the field of the window; ``stride``, ``padding`` and ``dilation`` default to those names. Along
    an axis that a field leaves out the window is 1, its step 1 and its padding 0; but one number for all axes
    (``Stride=2``) is that of the third axis too if the window has three.
    """
    shape: tuple[int, ...] = getattr(cell, window)
    names = {"stride": "stride", "padding": "padding", "dilation": "dilation", **fields}
    along = {key: _three(cell, name, len(shape) == 3) for key, name in names.items() if hasattr(cell, name)}
    return Geometry((shape[0], shape[1], shape[2] if len(shape) == 3 else 1), **along)


def _three(cell: Cell, name: str, in_space: bool) -> Axes:
    values: tuple[int, ...] = getattr(cell, name)
    if len(values) == 3:
        return values[0], values[1], values[2]
    place = cell.places.get(name)
    for_all = in_space and place is not None and place.key in ("Stride", "Padding", "Dilation", "SubSample")
    usual = 0 if name == "padding" else 1
    return values[0], values[1], values[0] if for_all else usual


def axes_text(axes: Sequence[int]) -> str:
    """Sizes on a picture: 3x3, and a third axis only where it is not 1."""
    return "x".join(map(str, axes if len(axes) < 3 or axes[2] != 1 else axes[:2]))


def stride_text(stride: Sequence[int]) -> str:
    """A stride on a picture: one number if it is the same along both axes."""
    stride = stride if len(stride) < 3 or stride[2] != 1 else stride[:2]
    return str(stride[0]) if len(set(stride)) == 1 else "x".join(map(str, stride))


def sizes_text(dims: Dims) -> str:
    """Width and height in a message, and the depth where there is one."""
    return f"{dims.width}x{dims.height}" + (f"x{dims.depth}" if dims.depth > 1 else "")


def check_not_a_point(cell: Cell, dims: Dims) -> None:
    """Raise :class:`GraphError` for an input of width, height and depth 1, on which the cell would do nothing."""
    if dims.width == dims.height == dims.depth == 1:
        raise GraphError(
            f"{cell.type_name} cell {cell.name} has an input of 1x1",
            place=cell.place(),
            expected="an input of two dimensions",
        )


def check_flat(cell: Cell, dims: Dims) -> None:
    """Raise :class:`GraphError` for an input with a depth, where the cell knows only width and height."""
    if dims.depth > 1:
        raise GraphError(
            f"{cell.type_name} cell {cell.name} has an input of {sizes_text(dims)}",
            place=cell.place(),
            expected="an input without depth, of width and height alone",
        )


def valid_taps(size: int, outputs: int, window: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Taps of all output positions along one axis that fall on the input and not on the padding.

    >>> valid_taps(size=4, outputs=4, window=3, stride=1, padding=1)
    10
    """
    taps = 0
    for tap in range(window):
        # The positions p with 0 <= p * stride + shift < size.
        shift = tap * dilation - padding
        first = max(0, -(shift // stride))
        last = min(outputs - 1, (size - 1 - shift) // stride)
        taps += max(0, last - first + 1)
    return taps
