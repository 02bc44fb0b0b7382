"""Where an emitter works: integers in float32 or float64 tensors, wherever these hold them exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from n2d2py.errors import IntegerError
from n2d2py.export.base import no_form
from n2d2py.export.qlinear.graph import EXACT, Graph, Value
from n2d2py.export.writing import Writing
from n2d2py.registry import names

KIND = "qonnx operation"
DOMAIN = "qonnx.custom_op.general"


@dataclass(eq=False)
class Site(Writing):
    """One operation that is being written; a batch is one stimulus."""

    def give(self, name: str, type_: str) -> None:
        """The tensor of what the operation gives, and its type."""
        self.values[self.operation.name] = Value(name, type_)

    def type_for(self, bound: int) -> str:
        """float where it holds integers up to a magnitude, else double; an error where neither does."""
        type_ = next((name for name in ("float", "double") if bound < EXACT[name]), None)
        if type_ is None:
            raise self.no_form("its integers need more than 53 bits")
        return type_

    def no_form(self, why: str = "") -> IntegerError:
        """The error that the operation cannot be written."""
        return no_form(self.operation, "QONNX", names(KIND), why)

    def check_flat(self) -> None:
        """Raise the error of values that have a depth."""
        if any(edge.dims.depth > 1 for edge in (*self.sources, self.made)):
            raise self.no_form("its values have a depth")

    def channelled(self, values: Any, type_: str) -> str:
        """A constant of one number a channel of the result."""
        return self.graph.constant(np.asarray(values).reshape(1, -1, *[1] * (len(self.made.dims.shape) - 1)), type_)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Numbers that broadcast with (channels, [depth,] height, width), with an axis for the batch."""
        return values.reshape((1,) * (len(self.made.dims.shape) + 1 - values.ndim) + values.shape)

    def spatial(self, value: Value, axes: int) -> str:
        """The first input with as many axes of places as a window has: a depth of 1 where it has none."""
        dims = self.sources[0].dims
        if len(dims.shape) - 1 >= axes:
            return value.name
        return self.shaped(value.name, (dims.channels, 1, dims.height, dims.width))

    def shaped(self, name: str, shape: Sequence[int] | None = None, output: str | None = None) -> str:
        """A tensor in the dimensions of the result, or in others."""
        sizes = self.made.dims.shape if shape is None else shape
        return self.graph.node("Reshape", [name, self.graph.constant([1, *sizes], "int64")], output)

    def common(self) -> tuple[list[str], str]:
        """The tensors that come in, in one type, each with as many axes as the result; and the type."""
        type_ = "double" if any(value.type == "double" for value in self.inputs) else "float"
        return [self.cast(index, type_) for index in range(len(self.inputs))], type_

    def cast(self, index: int, type_: str) -> str:
        """An input in a type, with as many axes as the result."""
        dims, name = self.sources[index].dims, self.graph.cast(self.inputs[index], type_).name
        if len(dims.shape) >= len(self.made.dims.shape):
            return name
        return self.shaped(name, (dims.channels, 1, dims.height, dims.width))


def quant(graph: Graph, value: str, scale: float, zero: float, bits: int, signed: bool, output: str) -> str:
    """A Quant node: ``(clip(rint(value / scale + zero)) - zero) * scale``."""
    numbers = [graph.constant(number, "float") for number in (scale, zero, bits)]
    return graph.node(
        "Quant", [value, *numbers], output, domain=DOMAIN, signed=int(signed), narrow=0, rounding_mode="ROUND"
    )


def weights(graph: Graph, name: str, codes: np.ndarray, low: int, high: int, step: int, uneven: bool) -> str:
    """Weight codes behind the Quant node that says their bits; codes low, low + step, ... have their level's bits.

    Operations with the same weights, the steps of a sequence, share them.
    """
    stored = graph.constant(codes, "float", f"{name}_w")
    if not uneven and (levels := (high - low) // step + 1) & (levels - 1) == 0 and levels > 1:
        scale, zero, bits, signed = float(step), -low / step, (levels - 1).bit_length(), False
    else:
        scale, zero, signed = 1.0, 0.0, True
        bits = 1 + max(max(high, 0).bit_length(), (-min(low, 0) - 1).bit_length() if low < 0 else 0)
    made, count = f"{stored}_quant", 1
    numbers = [stored, *(graph.constant(number, "float") for number in (scale, zero, bits))]
    while (known := next((node for node in graph.nodes if node.output[0] == made), None)) is not None:
        if list(known.input) == numbers:
            return made
        count += 1
        made = f"{stored}_quant_{count}"
    return quant(graph, stored, scale, zero, bits, signed, made)

