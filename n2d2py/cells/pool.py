"""Pool: maximum or average over a window and over the connected channels."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from n2d2py.cells.base import ActivatedCell, Cost, Dims, concatenated
from n2d2py.cells.mapping import Mapping, connected_pairs, connections, mappings
from n2d2py.cells.spatial import check_axes, output_size, stride_text, valid_taps
from n2d2py.errors import GraphError
from n2d2py.kinds import one_of, positive, unsigned
from n2d2py.parameters import REQUIRED, axes, parameter
from n2d2py.registry import register


@register("cell", "Pool")
@dataclass(frozen=True, kw_only=True)
class Pool(ActivatedCell):
    """Maximum (padding never wins) or average (divided by the whole window, padding counted as 0).

    Without a connection map every output pools over all channels; ``Mapping.Size=1`` pools each channel alone.
    """

    pooling: str = parameter("Pooling", one_of("Max", "Average"), REQUIRED, "what is taken of a window")
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

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        check_axes(self, pool=self.pool, stride=self.stride, padding=self.padding)
        dims = concatenated(self, inputs)
        if (dims.width, dims.height) == (1, 1) and self.pool != (1, 1):
            raise GraphError(
                f"Pool cell {self.name} has an input of 1x1",
                place=self.place(),
                expected="an input of two dimensions",
            )
        width, height = output_size(self, dims, self.pool, self.stride, self.padding)
        return Dims(width, height, self.nb_outputs)

    def maps(self, inputs: Sequence[Dims]) -> Dictionary[str, np.ndarray]:
        return connections(self.mapping, self.inputs, [dims.channels for dims in inputs], self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        pairs = connected_pairs(
            self.maps(inputs), self.inputs, [dims.channels for dims in inputs], output.channels
        )
        size = concatenated(self, inputs)
        taps = valid_taps(size.width, output.width, self.pool[0], self.stride[0], self.padding[0]) * valid_taps(
            size.height, output.height, self.pool[1], self.stride[1], self.padding[1]
        )
        return Cost(nodes=output.size, connections=pairs * taps)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, f"{self.pooling} {self.pool[0]}x{self.pool[1]}, stride {stride_text(self.stride)}")
        return lines
