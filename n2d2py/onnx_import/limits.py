"""How much a model may ask for, so that a small file never makes a large demand."""

from __future__ import annotations

LARGEST_FILE = 2**31 - 1
"""Bytes of a model's file: what protobuf can hold."""

MOST_MESSAGES = 400_000
"""Messages (nodes, attributes, tensors, ...) in a file. Each takes some hundred bytes of memory, two in the file."""

DEEPEST = 60
"""Messages within messages."""

MOST_NODES = 20_000
"""Nodes of a graph, local functions expanded."""

LARGEST_TENSOR = 2**29
"""Values of one constant."""

MOST_VALUES = 2**30
"""Values of all constants that weigh nothing in the file because one value fills them (ConstantOfShape)."""

LARGEST_DIMENSION = 2**31 - 1

SPARE_BYTES = 64 * 2**20
FOLDED_PER_BYTE = 8
"""Constant folding may make ``SPARE_BYTES`` + ``FOLDED_PER_BYTE`` times the bytes of the file."""

MOST_DATA = 4096
"""Values of a constant that shape inference may look at: shapes, axes and scales are short."""
