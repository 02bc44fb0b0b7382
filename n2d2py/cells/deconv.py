"""Deconv: transposed convolution, the gradient of a Conv taken as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import Cost, Dims, concatenated
from n2d2py.cells.kernels import KernelCell
from n2d2py.registry import register


@register("cell", "Deconv")
@dataclass(frozen=True, kw_only=True)
class Deconv(KernelCell):
    """y[o] at position i stride + tap dilation - padding gets the sum of w[o, c, tap] * x[c] at i, plus b[o]."""

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        self.check_kernels(dims.channels)
        width, height, depth = self.geometry.spread(self, dims)
        return Dims(width, height, self.nb_outputs, depth)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        # The taps of a Deconv are those of the Conv that goes back from its output to its input.
        return self.counted(inputs, output, self.geometry.taps(output, concatenated(self, inputs)))

    def macs(self, inputs: Sequence[Dims], output: Dims) -> int:
        # Every weight serves every position of the input once.
        dims = concatenated(self, inputs)
        return self.nb_weights(inputs, output) * (dims.size // dims.channels)
