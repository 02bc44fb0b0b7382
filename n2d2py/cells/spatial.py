"""Kernels and windows that slide over width and height: sizes of the output and counts of taps."""

from __future__ import annotations

from n2d2py.cells.base import Cell, Dims
from n2d2py.errors import GraphError


def check_axes(cell: Cell, **fields: tuple[int, ...]) -> None:
    """Raise :class:`GraphError` unless every field has two axes; a third of size 1 would say nothing."""
    for name, values in fields.items():
        if len(values) != 2:
            raise GraphError(
                f"{cell.type_name} cell {cell.name} has {len(values)} axes in {name}",
                place=cell.place(name),
                expected="two axes, X and Y",
            )


def stride_text(stride: tuple[int, ...]) -> str:
    """A stride on a picture: one number if it is the same along both axes."""
    return str(stride[0]) if len(set(stride)) == 1 else "x".join(map(str, stride))


def output_size(
    cell: Cell,
    dims: Dims,
    window: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...] = (1, 1),
) -> tuple[int, int]:
    """(width, height) of the output: floor((in + 2 padding - (dilation (k - 1) + 1) + stride) / stride)."""
    sizes = []
    for axis, size in enumerate((dims.width, dims.height)):
        reach = dilation[axis] * (window[axis] - 1) + 1
        free = size + 2 * padding[axis] - reach
        if free < 0:
            raise GraphError(
                f"{cell.type_name} cell {cell.name}: a window of {reach} does not fit on an input of {size}"
                + (f" padded by {padding[axis]}" if padding[axis] else "")
                + f" along {'XY'[axis]}",
                place=cell.place(),
                expected=f"an input of at least {reach - 2 * padding[axis]}; this one is {dims.width}x{dims.height}",
            )
        sizes.append(free // stride[axis] + 1)
    return sizes[0], sizes[1]


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
