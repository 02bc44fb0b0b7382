"""Conv: convolution (cross-correlation) with connection maps."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from n2d2py.cells.absent import absent
from n2d2py.cells.base import Cost, Dims, Layout, WeightedCell, concatenated
from n2d2py.cells.mapping import Mapping, connected_pairs, connections, mappings
from n2d2py.cells.spatial import check_axes, output_size, stride_text, valid_taps
from n2d2py.kinds import boolean, integer, one_of, positive, word
from n2d2py.parameters import REQUIRED, axes, check_available, parameter
from n2d2py.registry import register


@register("cell", "Conv")
@dataclass(frozen=True, kw_only=True)
class Conv(WeightedCell):
    """y[o] = b[o] + sum over connected channels c and taps of w[o, c] * x[c]; kernels are not flipped."""

    strict: ClassVar[bool] = True
    shares_weights: ClassVar[bool] = True

    kernel: tuple[int, ...] = axes(
        "KernelDims", "KernelSize", ("KernelWidth", "KernelHeight", "KernelDepth"), positive, REQUIRED, "kernel size"
    )
    stride: tuple[int, ...] = axes(
        "StrideDims", "Stride", ("StrideX", "StrideY", "StrideZ"), positive, 1, "step of the kernel"
    )
    padding: tuple[int, ...] = axes(
        "PaddingDims",
        "Padding",
        ("PaddingX", "PaddingY", "PaddingZ"),
        integer,
        0,
        "zeros on both sides of an axis; below 0: the input is cropped",
    )
    dilation: tuple[int, ...] = axes(
        "DilationDims", "Dilation", ("DilationX", "DilationY", "DilationZ"), positive, 1, "distance of the taps"
    )
    sub_sample: tuple[int, ...] = axes(
        "SubSampleDims",
        "SubSample",
        ("SubSampleX", "SubSampleY", "SubSampleZ"),
        positive,
        1,
        "of the outputs along an axis, each n-th is kept",
    )
    mapping: Dictionary[str, Mapping] = mappings()
    weights_export_format: str = parameter(
        "WeightsExportFormat", one_of("OCHW", "HWCO"), "OCHW", "order of the values in the weight file"
    )
    weights_export_flip: bool = parameter("WeightsExportFlip", boolean, False, "1: kernels reversed in the weight file")
    outputs_remap: str = parameter("OutputsRemap", word, "", "order of the outputs in exports")
    sharing: tuple[()] = absent(
        "WeightsSharing", "BiasesSharing", meaning="the weights or biases of another Conv are used"
    )
    fixed_kernels: tuple[()] = absent(
        "Kernel", "Kernel[0][0]", meaning="kernels that are given", below=("Kernel.", "Kernel[")
    )

    def __post_init__(self) -> None:
        check_available(self, "outputs_remap")

    @property
    def layout(self) -> Layout:
        return Layout(self.weights_export_format == "HWCO", self.weights_export_flip)

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        check_axes(
            self,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            sub_sample=self.sub_sample,
        )
        dims = concatenated(self, inputs)
        width, height = output_size(self, dims, self.kernel, self.stride, self.padding, self.dilation)
        return Dims(-(-width // self.sub_sample[0]), -(-height // self.sub_sample[1]), self.nb_outputs)

    def maps(self, inputs: Sequence[Dims]) -> Dictionary[str, np.ndarray]:
        return connections(self.mapping, self.inputs, [dims.channels for dims in inputs], self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        pairs = connected_pairs(
            self.maps(inputs), self.inputs, [dims.channels for dims in inputs], output.channels
        )
        biases = 0 if self.no_bias else output.channels
        size = concatenated(self, inputs)
        taps = 1
        for axis, (length, count) in enumerate(((size.width, output.width), (size.height, output.height))):
            step = self.stride[axis] * self.sub_sample[axis]
            taps *= valid_taps(length, count, self.kernel[axis], step, self.padding[axis], self.dilation[axis])
        connected = pairs * taps + biases
        return Cost(
            neurons=output.size,
            nodes=output.size,
            synapses=pairs * self.kernel[0] * self.kernel[1] + biases,
            virtual_synapses=connected,
            connections=connected,
        )

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        kernel = f"{self.kernel[0]}x{self.kernel[1]}"
        lines.insert(1, kernel if self.stride == (1, 1) else f"{kernel}, stride {stride_text(self.stride)}")
        return lines
