"""The ONNX graph that is being written, and how codes are stored in its tensors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""ReduceMax of axes that are an input came with it; every runtime since 2023 has it."""
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
    """A tensor that holds codes: its name, its type, and the stored number of code 0 (bytes of signed codes)."""

    name: str
    type: str
    zero: int = 0


@dataclass(frozen=True)
class Form:
    """How the same integers are written: ``packed`` weights of few levels in 4 bits, ``qdq`` as DequantizeLinear, Conv
    and QuantizeLinear instead of QLinearConv."""

    packed: bool = False
    qdq: bool = False

    @property
    def opset(self) -> int:
        """The operators' version: 4-bit tensors came with 21."""
        return 21 if self.packed else OPSET

    @property
    def ir_version(self) -> int:
        """The file's version."""
        return 10 if self.packed else IR_VERSION


class Graph:
    """Nodes and initializers in order; every tensor has four axes (batch, channels, height, width)."""

    def __init__(self, form: Form = Form()) -> None:
        self.form = form
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
        if name is not None:
            return self._kept(name, numpy_helper.from_array(array))
        made = self._shared[key] = f"constant_{len(self._shared)}"
        self.initializers[made] = numpy_helper.from_array(array, made)
        return made

    def _kept(self, name: str, tensor: onnx.TensorProto) -> str:
        """The name under which an initializer is kept: another number behind it for other values, not for the same."""
        made, count = name, 1
        while True:
            tensor.name = made
            if self.initializers.setdefault(made, tensor) == tensor:
                return made
            count += 1
            made = f"{name}_{count}"

    def weights(self, values: np.ndarray, type_: str, name: str, axis: int = 0) -> str:
        """An initializer of integers; ``axis`` is that of the outputs.

        Packed: if no output has more than 16 numbers at even distances, they are stored in 4 bits each, and the nodes
        that make the integers of them are for the runtime to compute once, when it loads the file.
        """
        steps = tuple(packing(values, axis)) if self.form.packed else ()
        if not steps:
            return self.constant(values, type_, name)
        numbers, factors, offsets = steps
        low, high = np.resize(numbers, 2 * -(-numbers.size // 2)).astype(np.uint8).reshape(-1, 2).T
        data = (low | high << 4).tobytes()
        name = self._kept(name, helper.make_tensor(name, TensorProto.UINT4, numbers.shape, data, raw=True))
        wide = self.node("Cast", [name], to=TensorProto.INT32)
        scaled = self.node("Mul", [wide, self.constant(factors, "int32")])
        moved = self.node("Add", [scaled, self.constant(offsets, "int32")])
        return self.node("Cast", [moved], to=TYPES[type_])

    def node(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Add a node; gives the name of its output, a made one if none is asked for."""
        if output is None:
            self._count += 1
            output = f"{inputs[0]}/{kind}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def cast(self, value: Value, type_: str, output: str | None = None) -> Value:
        """The codes in a type that holds them."""
        if value.zero:
            wide = self.node("Cast", [value.name], to=TYPES[type_])
            return Value(self.node("Sub", [wide, self.constant(value.zero, type_)], output), type_)
        if value.type == type_ and output is None:
            return value
        return Value(self.node("Cast", [value.name], output, to=TYPES[type_]), type_)

    def prune(self, outputs: Collection[str]) -> None:
        """Leave out the nodes and initializers of which no output is made."""
        live, kept = set(outputs), []
        for node in reversed(self.nodes):
            if not live.isdisjoint(node.output):
                kept.append(node)
                live.update(node.input)
        self.nodes = kept[::-1]
        self.initializers = {name: tensor for name, tensor in self.initializers.items() if name in live}

    def channelled(self, values: Any, type_: str) -> str:
        """A constant of one number a channel."""
        return self.constant(np.asarray(values).reshape(1, -1, 1, 1), type_)

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


def packing(values: np.ndarray, axis: int) -> Iterator[np.ndarray]:
    """Numbers 0..15 and, for each output, a factor and an offset with values = number * factor + offset.

    Nothing if an output has other numbers than that.
    """
    others = tuple(other for other in range(values.ndim) if other != axis)
    offsets = values.min(axis=others, keepdims=True)
    factors = np.maximum(np.gcd.reduce(values - offsets, axis=others, keepdims=True), 1)
    numbers = (values - offsets) // factors
    if values.size and int(numbers.max()) < 16:
        yield from (numbers, factors, offsets)


def wide_type(bound: int) -> str:
    """The type in which sums up to a magnitude are computed exactly."""
    return "double" if bound < EXACT["double"] else "int64"
