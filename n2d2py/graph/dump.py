"""A network as text that a person reads and a test compares: cells, dimensions, maps, and what is not default.

::

    network LeNet.ini, batches of 256
    env                    1x32x32
    conv1 = Conv(env)      6x28x28
        KernelDims=5 5; NoBias=1
        QWeight=SAT: Range=15
    bn1 = BatchNorm(conv1) 6x28x28
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.graph.network import Network, Node
from n2d2py.parameters import Record, declarations
from n2d2py.parts.targets import Target
from n2d2py.registry import name_of

_INDENT = "    "
# What the first line of a cell says already, or its map.
_SHOWN = ("nb_outputs", "mapping")


def dump(network: Network) -> str:
    """The whole network, a line a cell and its parameters below; dimensions are channels x height x width."""
    heads = [PROVIDER, *(f"{node.name} = {node.cell.type_name}({', '.join(node.parents)})" for node in network)]
    width = max(len(head) for head in heads)
    dims = [network.stimuli, *(node.output for node in network)]
    firsts = [f"{head:<{width}} {dims_text(item)}" for head, item in zip(heads, dims, strict=True)]
    lines = [f"network {network.name}, batches of {network.batch_size}", firsts[0]]
    for node, first in zip(network, firsts[1:], strict=True):
        lines.append(first)
        lines.extend(_INDENT + line for line in dump_cell(node))
    lines.extend(_target_line(target) for target in network.targets)
    return "\n".join(lines) + "\n"


def dump_cell(node: Node) -> list[str]:
    """The lines below a cell: plain parameters together, each part (quantizer, solver) and each map by itself."""
    plain: list[str] = []
    parts: list[str] = []
    for text, is_part in _parameters(node.cell, _SHOWN):
        (parts if is_part else plain).append(text)
    maps = [f"map of {parent}: {map_text(matrix)}" for parent, matrix in node.maps.items()]
    return [*(["; ".join(plain)] if plain else []), *parts, *maps]


def dims_text(dims: Dims) -> str:
    """Dimensions as torch orders them: channels x height x width."""
    return f"{dims.channels}x{dims.height}x{dims.width}"


def map_text(matrix: np.ndarray) -> str:
    """A connection map in a few words: unit, groups, or how many pairs are connected.

    >>> map_text(np.eye(3, dtype=bool)), map_text(np.array([[True, False], [True, True]]))
    ('unit', '3 of 4 pairs')
    """
    channels, outputs = matrix.shape
    if channels == outputs and np.array_equal(matrix, np.eye(channels, dtype=bool)):
        return "unit"
    return f"{int(matrix.sum())} of {channels * outputs} pairs"


def _parameters(record: Record, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Each parameter that is not default as text, and whether it is a part with parameters of its own."""
    fields = {item.name: item for item in dataclasses.fields(record)}
    for name, declaration in declarations(type(record)).items():
        value = getattr(record, name)
        if name in left_out or value == _default(fields[name]):
            continue
        text = f"{declaration.key}={declaration.format(value)}"
        if isinstance(value, Record):
            below = ", ".join(inner for inner, _ in _parameters(value))
            text = f"{text}: {below}" if below else text
        yield text, isinstance(value, Record)


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _target_line(target: Target) -> str:
    given = ", ".join(text for text, _ in _parameters(target))
    type_name = name_of("target", type(target))
    line = f"{target.name} = {type_name}({target.cell})"
    return f"{line}: {given}" if given else line
