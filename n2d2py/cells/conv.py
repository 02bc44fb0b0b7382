"""Conv: convolution (cross-correlation) with connection maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cost, Dims, concatenated
from n2d2py.cells.kernels import KernelCell
from n2d2py.cells.spatial import Axes, geometry
from n2d2py.kinds import positive
from n2d2py.parameters import axes
from n2d2py.registry import register


@register("cell", "Conv")
@dataclass(frozen=True, kw_only=True)
class Conv(KernelCell):
    """y[o] = b[o] + sum over connected channels c and taps of w[o, c] * x[c]; kernels are not flipped."""

    sub_sample: tuple[int, ...] = axes(
        "SubSampleDims",
        "SubSample",
        ("SubSampleX", "SubSampleY", "SubSampleZ"),
        positive,
        1,
        "of the outputs along an axis, each n-th is kept",
    )

    @property
    def steps(self) -> Axes:
        """Values of the input from one kept output to the next: stride * sub-sampling."""
        stride, kept = self.geometry.stride, geometry(self, "kernel", stride="sub_sample").stride
        return stride[0] * kept[0], stride[1] * kept[1], stride[2] * kept[2]

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        self.check_kernels(dims.channels)
        sizes, kept = self.geometry.outputs(self, dims), geometry(self, "kernel", stride="sub_sample").stride
        width, height, depth = (-(-size // step) for size, step in zip(sizes, kept, strict=True))
        return Dims(width, height, self.nb_outputs, depth)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        spaced = self.geometry._replace(stride=self.steps)
        return self.counted(inputs, output, spaced.taps(concatenated(self, inputs), output))
