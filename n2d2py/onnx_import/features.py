"""What flows between nodes, as cells see it: the output of a cell, looked at in another shape or order of axes.

ONNX reshapes and transposes without moving a value; a cell is only made of that where a cell after it needs it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from n2d2py.cells.base import Dims
from n2d2py.onnx_import.node import UnsupportedError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Feature:
    """A tensor of the graph. ``source`` (a cell, or env) gives the values in the order of ``base``, row by row.

    The tensor is that, its axes permuted: ``shape[i] = base[order[i]]``. ``alone``: nothing else takes a value of
    ``source``, so that what is applied to the tensor may become a part of that cell.
    """

    source: str
    base: Shape
    order: tuple[int, ...]
    alone: bool

    @property
    def shape(self) -> Shape:
        """The shape as ONNX has it, stimuli first."""
        return tuple(self.base[axis] for axis in self.order)

    @property
    def in_order(self) -> bool:
        """Whether the values stand in memory as ``source`` gives them."""
        moved = [axis for axis in self.order if self.base[axis] != 1]
        return moved == sorted(moved)

    def reshaped(self, shape: Shape) -> Feature:
        """The same values in another shape; the tensor must be in order."""
        return replace(self, base=shape, order=tuple(range(len(shape))))

    def transposed(self, perm: tuple[int, ...]) -> Feature:
        """The tensor with its axes permuted."""
        return replace(self, order=tuple(self.order[axis] for axis in perm))


def feature(source: str, shape: Shape, alone: bool) -> Feature:
    """The output of a cell as it is."""
    return Feature(source, shape, tuple(range(len(shape))), alone)


def dims_of(shape: Shape) -> Dims:
    """Dimensions of one stimulus of a tensor: (batch, channels[, [[depth,] height,] width]).

    A tensor of three axes is one row: its height is 1.

    >>> dims_of((1, 16, 8, 4)), dims_of((1, 10))
    (Dims(width=4, height=8, channels=16, depth=1), Dims(width=1, height=1, channels=10, depth=1))
    """
    inner = shape[1:]
    if not inner:
        return Dims(1, 1, 1)
    if len(inner) > 4:
        raise UnsupportedError(
            f"a tensor of {len(shape)} axes, {'x'.join(map(str, shape))}, has no place between cells"
        )
    channels, spatial = inner[0], tuple(reversed(inner[1:]))
    width, height, depth = (*spatial, 1, 1, 1)[:3]
    return Dims(width, height, channels, depth)


def merged(feature: Feature) -> tuple[Shape, tuple[int, ...]]:
    """The axes of one stimulus with those that travel together made one: (their lengths, their new order).

    >>> merged(Feature("conv", (1, 4, 3, 8, 8), (0, 2, 1, 3, 4), True))
    ((4, 3, 64), (1, 0, 2))
    """
    if feature.order[0] != 0:
        raise UnsupportedError("it moves the axis of the stimuli")
    moved = [axis for axis in feature.order[1:] if feature.base[axis] != 1]
    kept = sorted(moved)
    runs: list[list[int]] = []
    for axis in moved:
        if runs and kept.index(axis) == kept.index(runs[-1][-1]) + 1:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    ranked = sorted(runs)
    lengths = tuple(math.prod(feature.base[axis] for axis in run) for run in ranked)
    return lengths, tuple(ranked.index(run) for run in runs)
