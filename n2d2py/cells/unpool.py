"""Unpool: what a maximum pooling took goes back to where it stood."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from n2d2py.cells.base import ActivatedCell, Dims, concatenated
from n2d2py.cells.mapping import Mapping, connections, mappings
from n2d2py.cells.spatial import Geometry, axes_text, check_not_a_point, geometry, stride_text
from n2d2py.errors import GraphError
from n2d2py.kinds import one_of, positive, unsigned, word
from n2d2py.parameters import REQUIRED, axes, parameter
from n2d2py.registry import register


@register("cell", "Unpool")
@dataclass(frozen=True, kw_only=True)
class Unpool(ActivatedCell):
    """Each value goes to the place of the maximum that the Pool cell ArgMax found, all other places are 0.

    The window, stride and padding are those of that Pool (Zeiler and Fergus 2014, section 2.1). Each channel is
    unpooled alone: a connection map must be the unit map.
    """

    pooling: str = parameter("Pooling", one_of("Max"), "Max", "what the Pool takes of a window")
    arg_max: str = parameter("ArgMax", word, REQUIRED, "the Pool cell whose maxima give the places")
    pool: tuple[int, ...] = axes(
        "PoolDims", "PoolSize", ("PoolWidth", "PoolHeight", "PoolDepth"), positive, REQUIRED, "window size"
    )
    stride: tuple[int, ...] = axes(
        "StrideDims", "Stride", ("StrideX", "StrideY", "StrideZ"), positive, 1, "step of the window"
    )
    padding: tuple[int, ...] = axes(
        "PaddingDims", "Padding", ("PaddingX", "PaddingY", "PaddingZ"), unsigned, 0, "padding on both sides"
    )
    mapping: Dictionary[str, Mapping] = mappings()

    @property
    def geometry(self) -> Geometry:
        """The window and how it slides, along all three axes."""
        return geometry(self, "pool")

    @property
    def refers_to(self) -> tuple[str, ...]:
        return (self.arg_max,)

    @property
    def selects(self) -> bool:
        return True

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        check_not_a_point(self, dims)
        self.check_outputs(dims.channels)
        first = 0
        for name, mine in zip(self.inputs, inputs, strict=True):
            matrix = connections(self.mapping, (name,), (mine.channels,), self.nb_outputs).get(name)
            unit = np.eye(self.nb_outputs, dtype=bool)[first : first + mine.channels]
            first += mine.channels
            if name in self.mapping and (matrix is None or not np.array_equal(matrix, unit)):
                raise GraphError(
                    f"Unpool cell {self.name} joins channels of {name}, which have maxima at different places",
                    place=self.place("mapping"),
                    expected="Mapping.Size=1",
                )
        width, height, depth = self.geometry.spread(self, dims)
        return Dims(width, height, self.nb_outputs, depth)

    def maps(self, inputs: Sequence[Dims]) -> Dictionary[str, np.ndarray]:
        return connections(self.mapping, self.inputs, [dims.channels for dims in inputs], self.nb_outputs)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        window, stride = axes_text(self.geometry.window), stride_text(self.geometry.stride)
        lines.insert(1, f"{window}, stride {stride}, places of {self.arg_max}")
        return lines
