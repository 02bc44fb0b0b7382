"""The ONNX graph that is being written, and how codes are stored in its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""BitwiseAnd came with it; every runtime since 2023 has it."""
IR_VERSION = 8

EXACT = {"float": 1 << 24, "double": 1 << 53, "int32": 1 << 31, "int64": 1 << 63}
"""Integers below this magnitude are exact in the type."""

TYPES = {
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
}
_NUMPY = {"float": "float32", "double": "float64"}


@dataclass(frozen=True)
class Value:
    """A tensor: its name, its type, and the factor by which the codes in it are multiplied, a power of two."""

    name: str
    type: str
    factor: int = 1


class Graph:
    """Nodes and initializers in order; every tensor has four axes (batch, channels, height, width)."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    def constant(self, values: Any, type_: str, name: str | None = None) -> str:
        """An initializer; equal unnamed ones are shared."""
        array = np.asarray(values, dtype=_NUMPY.get(type_, type_), order="C")
        key = (str(array.dtype), array.shape, array.tobytes())
        if name is None and key in self._shared:
            return self._shared[key]
        made = name or f"constant_{len(self._shared)}"
        self.initializers[made] = numpy_helper.from_array(array, made)
        if name is None:
            self._shared[key] = made
        return made

    def node(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Add a node; gives the name of its output, a made one if none is asked for."""
        if output is None:
            self._count += 1
            output = f"{inputs[0]}/{kind}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def cast(self, value: Value, type_: str, output: str | None = None) -> Value:
        """The same numbers in another type."""
        if value.type == type_ and output is None:
            return value
        return Value(self.node("Cast", [value.name], output, to=TYPES[type_]), type_, value.factor)

    def channelled(self, values: Any, type_: str) -> str:
        """A constant of one number a channel."""
        return self.constant(np.asarray(values).reshape(1, -1, 1, 1), type_)

    def codes(self, value: Value, type_: str, output: str | None = None) -> Value:
        """The codes themselves, without factor, in a wide type."""
        wide = self.cast(value, type_)
        if value.factor == 1:
            return self._named(wide, output)
        if type_ in ("float", "double"):
            name = self.node("Mul", [wide.name, self.constant(1 / value.factor, type_)], output)
        else:
            name = self.node("Div", [wide.name, self.constant(value.factor, type_)], output)
        return Value(name, type_)

    def _named(self, value: Value, output: str | None) -> Value:
        return value if output is None else Value(self.node("Identity", [value.name], output), value.type, value.factor)

    def bounded(self, value: str, bound: int, upper: bool) -> str:
        """int64 codes that are at most (``upper``) or at least ``bound``.

        Not by Min, Max or Clip: those of ONNX Runtime are wrong for int64 beyond 32 bits (seen in 1.31).
        """
        limit = self.constant(bound, "int64")
        return self.larger(value, limit) if not upper else self.smaller(value, limit)

    def larger(self, left: str, right: str) -> str:
        """The larger one of two int64."""
        return self.node("Where", [self.node("Greater", [left, right]), left, right])

    def smaller(self, left: str, right: str) -> str:
        """The smaller one of two int64."""
        return self.node("Where", [self.node("Less", [left, right]), left, right])

    def floor_shift(self, value: Value, shift: int, output: str | None = None) -> Value:
        """Integers over 2^shift, rounded toward minus infinity; double where they are exact there."""
        if value.type == "double":
            small = self.node("Mul", [value.name, self.constant(2.0**-shift, "double")])
            return Value(self.node("Floor", [small], output), "double")
        divisor = self.constant(1 << shift, value.type)
        rest = self.node("Mod", [value.name, divisor])
        return Value(self.node("Div", [self.node("Sub", [value.name, rest]), divisor], output), value.type)


def wide_type(bound: int) -> str:
    """The type in which sums up to a magnitude are computed exactly."""
    return "double" if bound < EXACT["double"] else "int64"
