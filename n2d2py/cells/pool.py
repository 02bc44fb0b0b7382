"""Pool: maximum or average over a window and over the connected channels."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from n2d2py.cells.base import ActivatedCell, Cost, Dims, concatenated
from n2d2py.cells.mapping import Mapping, connected_pairs, connections, mappings
from n2d2py.cells.spatial import Geometry, axes_text, check_not_a_point, geometry, stride_text
from n2d2py.kinds import boolean, one_of, positive, unsigned
from n2d2py.parameters import REQUIRED, axes, parameter
from n2d2py.registry import register


@register("cell", "Pool")
@dataclass(frozen=True, kw_only=True)
class Pool(ActivatedCell):
    """Maximum (padding never wins) or average (divided by the whole window, padding counted as 0).

    With ``CountIncludePad=0``, which N2D2 has not, an average does not count padding: what ONNX means by default.
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
    counts_padding: bool = parameter(
        "CountIncludePad", boolean, True, "0: an average divides by the values of a window that are no padding"
    )
    mapping: Dictionary[str, Mapping] = mappings()

    @property
    def divides_evenly(self) -> bool:
        """Whether every average divides by the same number."""
        return self.counts_padding or not any(self.padding)

    @property
    def geometry(self) -> Geometry:
        """The window and how it slides, along all three axes."""
        return geometry(self, "pool")

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        if self.geometry.window != (1, 1, 1):
            check_not_a_point(self, dims)
        width, height, depth = self.geometry.outputs(self, dims)
        return Dims(width, height, self.nb_outputs, depth)

    def maps(self, inputs: Sequence[Dims]) -> Dictionary[str, np.ndarray]:
        return connections(self.mapping, self.inputs, [dims.channels for dims in inputs], self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        pairs = connected_pairs(
            self.maps(inputs), self.inputs, [dims.channels for dims in inputs], output.channels
        )
        taps = self.geometry.taps(concatenated(self, inputs), output)
        return Cost(nodes=output.size, connections=pairs * taps)

    @property
    def selects(self) -> bool:
        return self.pooling == "Max"

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        window, stride = axes_text(self.geometry.window), stride_text(self.geometry.stride)
        lines.insert(1, f"{self.pooling} {window}, stride {stride}")
        return lines
