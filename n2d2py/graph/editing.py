"""What passes over a network have in common: cells that take their input from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from n2d2py.cells.base import Cell
from n2d2py.graph.network import Node


def renamed(cell: Cell, names: Mapping[str, str]) -> Cell:
    """The cell with other inputs: each that is a key of ``names`` becomes its value; so do those of its maps."""
    if not any(parent in names for parent in cell.inputs):
        return cell
    changes: dict[str, Any] = {"inputs": tuple(names.get(parent, parent) for parent in cell.inputs)}
    mapping = getattr(cell, "mapping", None)
    if mapping:
        changes["mapping"] = {names.get(parent, parent): value for parent, value in mapping.items()}
    return replace(cell, **changes)


def redirected(node: Node, names: Mapping[str, str]) -> Node:
    """As :func:`renamed`, for a node whose new inputs have the dimensions of the old ones."""
    cell = renamed(node.cell, names)
    if cell is node.cell:
        return node
    return replace(node, cell=cell, maps={names.get(parent, parent): value for parent, value in node.maps.items()})
