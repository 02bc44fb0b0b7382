"""The order of cells: each in the layer after the deepest of its parents, in file order within a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from n2d2py.errors import GraphError, Place


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
        raise GraphError(
            f"cells feed each other in a circle: {' -> '.join(cycle)}",
            place=places.get(cycle[0]),
            expected="a graph without cycles",
            remedy="change Input= of one of them",
        ) from None
    depth: dict[str, int] = {}
    for name in sequence:
        depth[name] = 1 + max((depth[parent] for parent in inside[name]), default=0)
    return sorted(parents, key=lambda name: depth[name])
