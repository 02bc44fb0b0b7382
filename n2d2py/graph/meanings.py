"""Keys that N2D2 has and does not document: what n2d2py computes with them may be another thing."""

from __future__ import annotations

from n2d2py import console
from n2d2py.graph.network import Network
from n2d2py.parameters import declarations, given

_MOST_NAMES = 10


def tell_of_own_meanings(network: Network) -> None:
    """Say once for the whole network which of these keys are set, and where their meaning stands."""
    cells: dict[str, list[str]] = {}
    for node in network:
        known = declarations(type(node.cell))
        for name in given(node.cell).keys() & set(node.cell.own_meanings):
            cells.setdefault(known[name].key, []).append(node.name)
    if cells:
        shown = ", ".join(f"{key} ({_listed(names)})" for key, names in sorted(cells.items()))
        keys = "this key" if len(cells) == 1 else "these keys"
        console.notice(
            f"{shown}: N2D2 does not document what it computes with {keys}; n2d2py's own definition stands in "
            "docs/compatibility.md"
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
