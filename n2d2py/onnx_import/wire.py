"""The outline of a protobuf file, walked without building anything: is it whole, and how many messages does it hold.

Protobuf's own parser makes an object of some hundred bytes of every message, of which an empty one takes two bytes in
the file; so they are counted before it runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from n2d2py.onnx_import.limits import DEEPEST, MOST_MESSAGES

# Field number -> type of the message, for the fields of onnx.proto that hold messages.
_ENTRY: Mapping[int, str] = {}
_FIELDS: Mapping[str, Mapping[int, str]] = {
    "Model": {7: "Graph", 8: "Entry", 14: "Entry", 20: "Training", 25: "Function", 26: "Entry"},
    "Training": {1: "Graph", 2: "Graph", 3: "Entry", 4: "Entry"},
    "Graph": {
        1: "Node",
        5: "Tensor",
        11: "Value",
        12: "Value",
        13: "Value",
        14: "Annotation",
        15: "Sparse",
        16: "Entry",
    },
    "Node": {5: "Attribute", 9: "Entry", 10: "Entry"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        14: "Type",
        15: "Type",
        22: "Sparse",
        23: "Sparse",
    },
    "Function": {7: "Node", 9: "Entry", 11: "Attribute", 12: "Value", 14: "Entry"},
    "Tensor": {3: "Entry", 13: "Entry", 16: "Entry"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Value": {2: "Type", 4: "Entry"},
    "Annotation": {2: "Entry"},
    "Type": {1: "TensorType", 4: "TypeOf", 5: "TypeOf", 8: "TensorType", 9: "TypeOf"},
    "TensorType": {2: "Shape"},
    "TypeOf": {1: "Type", 2: "Type"},
    "Shape": {1: "Entry"},
    "Entry": _ENTRY,
}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class DamagedError(Exception):
    """The bytes are not a whole ONNX file, or one that asks for too much; the text says why."""


def scan(data: bytes) -> int:
    """The number of messages in an ONNX file; raises :class:`DamagedError`.

    Takes time in proportion to that number (large tensors are stepped over) and no memory.
    """
    count = 0
    open_messages = [(0, len(data), "Model", 0)]
    while open_messages:
        position, end, kind, depth = open_messages.pop()
        inner = _FIELDS[kind]
        while position < end:
            tag, position = _varint(data, position, end)
            field, form = tag >> 3, tag & 7
            if field == 0:
                raise DamagedError("it is no ONNX model")
            if form == _VARINT:
                _, position = _varint(data, position, end)
            elif form == _BYTES:
                size, position = _varint(data, position, end)
                if position + size > end:
                    raise DamagedError(_cut(kind, position + size - end))
                if (below := inner.get(field)) is not None:
                    count += 1
                    if count > MOST_MESSAGES:
                        raise DamagedError(f"it holds more than {MOST_MESSAGES} nodes, attributes and tensors")
                    if depth > DEEPEST:
                        raise DamagedError(f"its graphs are nested more than {DEEPEST} messages deep")
                    open_messages.append((position, position + size, below, depth + 1))
                position += size
            elif form in (_FIXED64, _FIXED32):
                position += 8 if form == _FIXED64 else 4
                if position > end:
                    raise DamagedError(_cut(kind, position - end))
            else:
                raise DamagedError("it is no ONNX model")
    return count


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for _ in range(_LONGEST_VARINT):
        if position >= end:
            raise DamagedError("it is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise DamagedError("it is no ONNX model")


def _cut(kind: str, missing: int) -> str:
    return f"it is cut off: {missing} bytes are missing" if kind == "Model" else "it is damaged or no ONNX model"
