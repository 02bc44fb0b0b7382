"""Shared tensors: a cell that uses the weights, biases or statistics of another one of its type.

``WeightsSharing=conv1`` on ``conv2`` means that both have one tensor of weights, which both change in learning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from n2d2py.errors import GraphError, did_you_mean
from n2d2py.graph.network import Node

Shared = dict[str, dict[str, str]]

_FIELDS = {
    "weights_sharing": ("weights", "WeightsSharing"),
    "biases_sharing": ("biases", "BiasesSharing"),
    "scales_sharing": ("scales", "ScalesSharing"),
    "means_sharing": ("means", "MeansSharing"),
    "variances_sharing": ("variances", "VariancesSharing"),
}
"""The field of a cell that names another cell, the tensor that is shared, and the key of the INI file."""

TENSORS = tuple(tensor for tensor, _ in _FIELDS.values())

_ITEM = re.compile(r"(?P<cell>.+?)(\[(?P<group>\d+)\])?", re.ASCII | re.DOTALL)


def resolve(nodes: Sequence[Node]) -> Shared:
    """By cell and tensor the cell whose tensor is used, which has it itself: chains are followed to their end.

    Raises :class:`GraphError` for a cell that does not exist or is of another type, for tensors of different
    shapes, for a group out of range, for groups that come from different cells, and for sharing in a circle.
    """
    known = {node.name: node for node in nodes}
    direct: Shared = {}
    for node in nodes:
        for field, (tensor, key) in _FIELDS.items():
            value = getattr(node.cell, field, None)
            if not value:
                continue
            source = _whole(known, node, value, field) if isinstance(value, tuple) else value.strip()
            if source:
                _check(known, node, source, tensor, field, key)
                direct.setdefault(node.name, {})[tensor] = source
    return {cell: {tensor: _end(known, direct, cell, tensor) for tensor in sources} for cell, sources in direct.items()}


def complaints(known: Mapping[str, Node], shared: Mapping[str, Mapping[str, str]]) -> Iterable[tuple[Node | None, str]]:
    """What is wrong about shared tensors; see :mod:`n2d2py.graph.lint`."""
    for cell, sources in shared.items():
        for tensor, source in sources.items():
            if cell not in known or source not in known:
                gone = cell if cell not in known else source
                yield None, f"{tensor} are shared with cell {gone}, which does not exist"
            elif tensor not in TENSORS:
                yield known[cell], f"cell {cell} shares {tensor!r}, which is no tensor that can be shared"
            elif tensor in shared.get(source, {}):
                yield known[cell], f"cell {cell} shares the {tensor} of {source}, which are themselves shared"
            elif what := _difference(known[cell], known[source], tensor):
                yield known[cell], f"cell {cell} shares the {tensor} of {source}: {what}"


def _whole(known: Mapping[str, Node], node: Node, items: tuple[str, ...], field: str) -> str:
    """The one cell from which all groups of weights come, in order; empty if no group is shared."""
    place = node.cell.place(field)
    if not any(items):
        return ""
    groups = len(node.parents)
    if len(items) > groups:
        raise GraphError(
            f"WeightsSharing of cell {node.name} has {len(items)} items",
            place=place,
            expected=f"one for each of its inputs: {groups}",
        )
    sources: list[tuple[str, int]] = []
    for number, item in enumerate(items):
        # A cell may itself be called conv[1].
        match = _ITEM.fullmatch(item) if item not in known else None
        cell, group = (match["cell"], int(match["group"] or number)) if match else (item, number)
        count = len(known[cell].parents) if cell in known else group + 1
        if group >= count:
            raise GraphError(
                f"WeightsSharing of cell {node.name}: cell {cell} has no group {group} of weights",
                place=place,
                expected=f"a group below {count}, the number of its inputs",
            )
        sources.append((cell, group))
    if sources == [(sources[0][0], number) for number in range(groups)]:
        return sources[0][0]
    raise GraphError(
        f"WeightsSharing of cell {node.name} shares only some groups of weights, or groups of several cells: "
        + ",".join(items),
        place=place,
        expected=f"all {groups} groups in order from one cell: WeightsSharing={','.join(['cell'] * groups)}",
        remedy="one Conv for each input and an ElemWise Sum of them is the same, and each may share its weights",
    )


def _check(known: Mapping[str, Node], node: Node, source: str, tensor: str, field: str, key: str) -> None:
    place = node.cell.place(field)
    if source not in known:
        raise GraphError(
            f"{key} of cell {node.name}: there is no cell {source}",
            place=place,
            remedy=did_you_mean(source, [name for name, other in known.items() if type(other.cell) is type(node.cell)]),
        )
    if what := _difference(node, known[source], tensor):
        raise GraphError(f"{key} of cell {node.name}: {what}", place=place, expected="a cell of the same shape")


def _difference(node: Node, source: Node, tensor: str) -> str:
    """Why ``node`` cannot use a tensor of ``source``; empty if it can."""
    mine, other = node.cell, source.cell
    if type(mine) is not type(other):
        return f"{node.name} is a {mine.type_name}, {source.name} a {other.type_name}"
    if node.output.channels != source.output.channels:
        return f"{node.name} has {node.output.channels} outputs, {source.name} {source.output.channels}"
    if tensor == "biases":
        without = [cell.name for cell in (mine, other) if getattr(cell, "no_bias", False)]
        return f"{without[0]} has no biases" if without else ""
    if tensor != "weights":
        return ""
    kernels = [getattr(cell, "kernel", None) for cell in (mine, other)]
    if kernels[0] != kernels[1]:
        return "the kernels are {} and {}".format(*("x".join(map(str, kernel or ())) for kernel in kernels))
    channels = [[dims.channels for dims in item.inputs] for item in (node, source)]
    if channels[0] != channels[1]:
        return "the inputs have {} and {} channels".format(*("+".join(map(str, counts)) for counts in channels))
    pairs = zip(node.parents, source.parents, strict=True)
    if not all(_same(node.maps.get(left), source.maps.get(right)) for left, right in pairs):
        return "their connection maps differ"
    return ""


def _same(left: np.ndarray | None, right: np.ndarray | None) -> bool:
    if left is None or right is None:
        return left is right
    return np.array_equal(left, right)


def _end(known: Mapping[str, Node], direct: Shared, cell: str, tensor: str) -> str:
    """The cell that a chain of sharing ends at."""
    chain = {cell: None}
    last = cell
    while tensor in direct.get(last, {}):
        last = direct[last][tensor]
        if last in chain:
            way = list(chain)
            circle = " -> ".join([*way[way.index(last) :], last])
            raise GraphError(
                f"cells share their {tensor} in a circle: {circle}",
                place=known[cell].cell.place(),
                remedy="one of them must have a tensor of its own",
            )
        chain[last] = None
    for passed in chain:
        if passed != last:
            direct[passed][tensor] = last  # so that a long chain is walked once
    return last
