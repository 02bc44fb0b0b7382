"""The order of cells: each in the layer after the deepest of its parents, in file order within a layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from n2d2py.errors import GraphError, Place

_LONGEST = 40
"""Cells of a circle that an error names."""


def ordered(parents: Mapping[str, Sequence[str]], places: Mapping[str, Place]) -> list[str]:
    """Names in the order of computation; ``parents`` is in file order, and a parent that is no key is an input.

    Raises :class:`GraphError`, printing the cycle, if cells feed each other in a circle.

    >>> ordered({"sum": ["left", "right"], "right": ["env"], "left": ["right"]}, {})
    ['right', 'left', 'sum']
    """
    inside = {name: [parent for parent in above if parent in parents] for name, above in parents.items()}
    try:
        sequence = list(TopologicalSorter(inside).static_order())
    except CycleError as error:
        # graphlib lists each node before the one that it feeds; the first is repeated at the end.
        cycle = error.args[1]
        shown = cycle if len(cycle) <= _LONGEST else [*cycle[: _LONGEST // 2], "...", *cycle[-_LONGEST // 2 :]]
        raise GraphError(
            f"cells feed each other in a circle: {' -> '.join(shown)}",
            place=places.get(cycle[0]),
            expected="a graph without cycles",
            remedy="change Input= of one of them",
        ) from None
    depth: dict[str, int] = {}
    for name in sequence:
        depth[name] = 1 + max((depth[parent] for parent in inside[name]), default=0)
    return sorted(parents, key=lambda name: depth[name])


def behind_imports(parents: Mapping[str, Sequence[str]], imports: Collection[str]) -> dict[str, list[str]]:
    """``parents``, and for each cell with a parent that is no section the imports that may make it.

    N2D2 leaves such a cell where it stands in the file, and fails if it comes before the import. Here it comes after
    the imports that stand above it in the file, or after all where none does, unless it names one itself.

    >>> behind_imports({"fc": ["node"], "onnx": ["env"]}, ["onnx"])
    {'fc': ['node', 'onnx'], 'onnx': ['env']}
    """
    result: dict[str, list[str]] = {}
    above: list[str] = []
    known = {*parents, "env", "sp", "cenv"}
    for name, named in parents.items():
        waits = any(parent not in known for parent in named) and not any(parent in imports for parent in named)
        result[name] = [*named, *(above or imports)] if waits and name not in imports else list(named)
        if name in imports:
            above.append(name)
    return result
