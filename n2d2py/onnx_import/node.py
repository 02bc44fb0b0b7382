"""A node of an ONNX graph as the operators see it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import onnx
from onnx import AttributeProto, NodeProto

from n2d2py.errors import Place
from n2d2py.onnx_import.reader import label


class UnsupportedError(Exception):
    """A node that n2d2py has no cell for; the text says why."""


class OnnxNode:
    """One node: names of inputs and outputs, typed attributes, version of its operator set."""

    def __init__(self, proto: NodeProto, opset: int, file: str) -> None:
        self.proto = proto
        self.opset = opset
        self.operator = proto.op_type
        self.inputs = tuple(proto.input)
        self.outputs = tuple(proto.output)
        self.file = file

    @property
    def name(self) -> str:
        """The name that its cell gets: that of its first output."""
        return self.outputs[0] if self.outputs and self.outputs[0] else self.proto.name

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return label(self.proto)

    @property
    def place(self) -> Place:
        """The node as a place: the file, and the node where an INI file has a section."""
        return Place(self.file, section=self.name, chain=(f"ONNX node {self.label} ({self.operator})",))

    def input(self, index: int) -> str:
        """The name of an input, "" if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Attributes by name: numbers, bytes as text, lists as tuples."""
        found: dict[str, Any] = {}
        for attribute in self.proto.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode(errors="replace")
            elif attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS, AttributeProto.STRINGS):
                value = tuple(item.decode(errors="replace") if isinstance(item, bytes) else item for item in value)
            found[attribute.name] = value
        return found

    def get(self, name: str, default: Any) -> Any:
        """An attribute, or what it is if it is not given."""
        return self.attributes.get(name, default)

    def integers(self, name: str, count: int, default: int) -> tuple[int, ...]:
        """An attribute of ``count`` integers; raises :class:`UnsupportedError` for another number of them."""
        values = self.get(name, None)
        if values is None:
            return (default,) * count
        if len(values) != count:
            raise UnsupportedError(f"{name} has {len(values)} values, {count} are expected")
        return tuple(int(value) for value in values)
