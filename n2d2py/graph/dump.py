"""A network as text that a person reads and a test compares: cells, dimensions, maps, and what is not default.

::

    network LeNet.ini, batches of 256
    env                    1x32x32
    conv1 = Conv(env)      6x28x28
        KernelDims=5 5; NoBias=1
        QWeight=SAT: Range=15
    pool1 = Pool(conv1)    6x14x14
        Pooling=Max; PoolDims=2 2; StrideDims=2 2
        map of conv1: Size=1 1 (unit)
    pool1.Target = TargetScore(pool1): TopN=2

:mod:`n2d2py.graph.parse` reads it again. Initial values, which only an imported model has, are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.cells.mapping import Mapping as Map
from n2d2py.graph.network import FRAME, Network, Node
from n2d2py.graph.notation import name_text, rows_text, value_text
from n2d2py.parameters import Record, declarations, given
from n2d2py.parts.targets import Target
from n2d2py.registry import name_of

_INDENT = "    "
_ORIGIN, _EVERY = (0, 0), (1, 1)


def dump(network: Network) -> str:
    """The whole network, a line a cell and its parameters below; dimensions are channels x height x width."""
    heads = [PROVIDER, *(_head(node) for node in network)]
    width = max(len(head) for head in heads)
    dims = [network.stimuli, *(node.output for node in network)]
    firsts = [f"{head:<{width}} {dims_text(item)}" for head, item in zip(heads, dims, strict=True)]
    lines = [f"network {value_text(network.name)}, batches of {network.batch_size}", firsts[0]]
    for node, first in zip(network, firsts[1:], strict=True):
        lines.append(first)
        lines.extend(_INDENT + line for line in dump_cell(node))
        shared = network.shared.get(node.name, {})
        lines.extend(f"{_INDENT}shared {tensor} of {name_text(cell)}" for tensor, cell in shared.items())
    lines.extend(_target_line(target) for target in network.targets)
    return "\n".join(lines) + "\n"


def dump_cell(node: Node) -> list[str]:
    """The lines below a cell: plain parameters together, each part (quantizer, solver) and each map by itself."""
    plain: list[str] = []
    parts: list[str] = []
    if node.cell.nb_outputs != node.output.channels:
        plain.append(f"NbOutputs={node.cell.nb_outputs}")  # the dimensions do not say it
    for text, is_part in _parameters(node.cell, ("nb_outputs", "mapping")):
        (parts if is_part else plain).append(text)
    lines = [*(["; ".join(plain)] if plain else []), *parts]
    mapping: Mapping[str, Map] = getattr(node.cell, "mapping", {})
    lines += [f"map of {name_text(parent)}: {_map_line(node, parent, form)}" for parent, form in mapping.items()]
    return [*lines, *([f"model {node.model}"] if node.model != FRAME else [])]


def dims_text(dims: Dims) -> str:
    """Dimensions as torch orders them: channels x [depth x] height x width."""
    return "x".join(map(str, dims.shape))


def map_text(matrix: np.ndarray) -> str:
    """A connection map in a few words: unit, groups, or how many pairs are connected.

    >>> map_text(np.eye(3, dtype=bool)), map_text(np.array([[True, False], [True, True]]))
    ('unit', '3 of 4 pairs')
    """
    channels, outputs = matrix.shape
    if channels == outputs and np.array_equal(matrix, np.eye(channels, dtype=bool)):
        return "unit"
    return f"{int(matrix.sum())} of {channels * outputs} pairs"


def _head(node: Node) -> str:
    return f"{name_text(node.name)} = {node.cell.type_name}({', '.join(name_text(parent) for parent in node.parents)})"


def _map_line(node: Node, parent: str, form: Map) -> str:
    """The form of a map, which says all about it, and in words what comes of it."""
    matrix = node.maps.get(parent)
    words = "all pairs" if matrix is None else map_text(matrix)
    if form.nb_groups is not None or form.channels_per_group is not None:
        key, number = ("NbGroups", form.nb_groups) if form.nb_groups else ("ChannelsPerGroup", form.channels_per_group)
        return f"{key}={number} ({words})"
    if form.matrix is not None:
        rows = np.array(form.matrix, dtype=bool).reshape(-1, node.cell.nb_outputs)
        return f"rows {rows_text(rows)} ({words})"
    pairs = {"Size": form.size, "Stride": form.stride, "Offset": form.offset}
    usual = {"Stride": _EVERY, "Offset": _ORIGIN}
    texts = [f"{key}={x} {y}" for key, (x, y) in pairs.items() if usual.get(key) != (x, y)]
    texts += [f"NbIterations={form.nb_iterations}"] if form.nb_iterations else []
    return f"{', '.join(texts)} ({words})"


def _parameters(record: Record, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Each parameter that is not default as text, and whether it is a part with parameters of its own."""
    known = declarations(type(record))
    for name, value in given(record).items():
        if name in left_out:
            continue
        keys = known[name].written(value)
        if isinstance(value, Record):
            head = known[name].key
            below = ", ".join(
                f"{key.removeprefix(f'{head}.')}={value_text(text)}" for key, text in keys.items() if key != head
            )
            yield f"{head}={keys[head]}" + (f": {below}" if below else ""), True
        else:
            yield "; ".join(f"{key}={value_text(text)}" for key, text in keys.items()), False


def _target_line(target: Target) -> str:
    texts = ", ".join(text for text, _ in _parameters(target))
    line = f"{name_text(target.name)} = {name_of('target', type(target))}({name_text(target.cell)})"
    return f"{line}: {texts}" if texts else line
