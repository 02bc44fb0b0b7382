"""What Conv and Deconv have in common: kernels that slide, connection maps, kernels that are given, sharing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from n2d2py.cells.base import Cost, Dims, Layout, Parameters, WeightedCell
from n2d2py.cells.mapping import Mapping, connected_pairs, connections, mappings
from n2d2py.cells.remapping import remapped
from n2d2py.cells.spatial import Geometry, axes_text, geometry, stride_text
from n2d2py.errors import GraphError, Place
from n2d2py.kinds import boolean, integer, list_of, names, one_of, positive, real, word
from n2d2py.parameters import REQUIRED, Declaration, Keys, axes, declare, parameter


@dataclass(frozen=True)
class GivenKernel:
    """A kernel that is written in the INI file; ``normalize`` divides it by the sum of its absolute values.

    ``values`` stand row by row: X fastest, then Y, then Z.
    """

    values: tuple[float, ...]
    normalize: bool = False
    place: Place | None = field(default=None, compare=False, repr=False)


@runtime_checkable
class Listing(Protocol):
    """Keys of which those with a prefix can be listed; those of an ONNX node cannot, and give no kernels."""

    def listed(self, prefix: str) -> list[str]: ...


_KERNEL = re.compile(r"Kernel\[(\d+)\]\[(\d+)\]", re.ASCII)


@dataclass(frozen=True)
class _GivenKernels(Declaration):
    """``Kernel`` (every kernel) and ``Kernel[c][o]`` (that of channel c and output o), each with ``.Normalize``.

    The value is a dict (channel, output) -> :class:`GivenKernel`, the kernel for all under None.
    """

    @property
    def type_name(self) -> str:
        return "real numbers row by row; Kernel[c][o] for channel c and output o alone; .Normalize=1: of sum 1"

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        found: dict[tuple[int, int] | None, GivenKernel] = {}
        spelled: dict[str, tuple[int, int] | None] = {"Kernel": None}
        for key in keys.listed("Kernel[") if isinstance(keys, Listing) else ():
            match = _KERNEL.fullmatch(key)
            if match:
                spelled[key] = (int(match[1]), int(match[2]))
        for key, pair in spelled.items():
            value, normalize = keys.find(key), keys.find(f"{key}.Normalize")
            if value is not None:
                whether = normalize is not None and boolean.read(normalize)
                found[pair] = GivenKernel(list_of(real).read(value), whether, value.place)
        return found, next((kernel.place for kernel in found.values()), None)

    def format(self, value: Any) -> str:
        return "; ".join(
            ("all" if pair is None else f"[{pair[0]}][{pair[1]}]") + f": {list_of(real).format(kernel.values)}"
            for pair, kernel in value.items()
        )

    def written(self, value: Any) -> dict[str, str]:
        texts: dict[str, str] = {}
        for pair, kernel in value.items():
            key = self.key if pair is None else f"{self.key}[{pair[0]}][{pair[1]}]"
            texts[key] = list_of(real).format(kernel.values)
            if kernel.normalize:
                texts[f"{key}.Normalize"] = "1"
        return texts


@dataclass(frozen=True, kw_only=True)
class KernelCell(WeightedCell):
    """A cell with a kernel for each connected pair of a channel and an output."""

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
    mapping: Dictionary[str, Mapping] = mappings()
    weights_export_format: str = parameter(
        "WeightsExportFormat", one_of("OCHW", "HWCO"), "OCHW", "order of the values in the weight file"
    )
    weights_export_flip: bool = parameter("WeightsExportFlip", boolean, False, "1: kernels reversed in the weight file")
    outputs_remap: str = parameter("OutputsRemap", word, "", "order of the outputs in weight files, such as 2,0,1")
    weights_sharing: tuple[str, ...] = parameter(
        "WeightsSharing", names, (), "for each input the cell whose weights are used: cell or cell[its input]"
    )
    biases_sharing: str = parameter("BiasesSharing", word, "", "the cell whose biases are used")
    given_kernels: Dictionary[tuple[int, int] | None, GivenKernel] = declare(
        _GivenKernels(key="Kernel", default={}, meaning="kernels to begin with, in place of the filler's")
    )

    def __post_init__(self) -> None:
        remapped(self, "outputs_remap")

    @property
    def geometry(self) -> Geometry:
        """The kernel and how it slides, along all three axes."""
        return geometry(self, "kernel")

    @property
    def layout(self) -> Layout:
        order = remapped(self, "outputs_remap")
        return Layout(self.weights_export_format == "HWCO", self.weights_export_flip, order=order)

    def maps(self, inputs: Sequence[Dims]) -> Dictionary[str, np.ndarray]:
        return connections(self.mapping, self.inputs, [dims.channels for dims in inputs], self.nb_outputs)

    def check_kernels(self, channels: int) -> None:
        """Raise :class:`GraphError` for a given kernel of another size, or of a pair that does not exist."""
        taps = math.prod(self.geometry.window)
        for pair, kernel in self.given_kernels.items():
            if len(kernel.values) != taps:
                raise GraphError(
                    f"a kernel of {len(kernel.values)} values is given to {self.type_name} cell {self.name}",
                    place=kernel.place,
                    expected=f"{taps} values, row by row: the kernel is {axes_text(self.geometry.window)}",
                )
            if pair is not None and (pair[0] >= channels or pair[1] >= self.nb_outputs):
                raise GraphError(
                    f"a kernel is given for channel {pair[0]} and output {pair[1]} of {self.type_name} "
                    f"cell {self.name}",
                    place=kernel.place,
                    expected=f"a channel below {channels} and an output below {self.nb_outputs}",
                )
            if kernel.normalize and not any(kernel.values):
                raise GraphError(
                    f"a kernel of zeros cannot be normalised, in {self.type_name} cell {self.name}",
                    place=kernel.place,
                    remedy="remove Normalize",
                )

    def counted(self, inputs: Sequence[Dims], output: Dims, taps: int) -> Cost:
        """The cost with that many taps of one connected pair over all positions."""
        pairs = connected_pairs(self.maps(inputs), self.inputs, [dims.channels for dims in inputs], output.channels)
        biases = 0 if self.no_bias else output.channels
        return Cost(
            neurons=output.size,
            nodes=output.size,
            synapses=pairs * math.prod(self.geometry.window) + biases,
            virtual_synapses=pairs * taps + biases,
            connections=pairs * taps + biases,
        )

    def nb_weights(self, inputs: Sequence[Dims], output: Dims) -> int:
        pairs = connected_pairs(self.maps(inputs), self.inputs, [dims.channels for dims in inputs], output.channels)
        return pairs * math.prod(self.geometry.window)

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        weights = 0 if any(self.weights_sharing) else self.nb_weights(inputs, output)
        return Parameters(weights, 0 if self.no_bias or self.biases_sharing else output.channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        size, stride = axes_text(self.geometry.window), stride_text(self.geometry.stride)
        lines.insert(1, size if stride == "1" else f"{size}, stride {stride}")
        return lines
