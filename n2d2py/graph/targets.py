"""The targets of a network: which sections they are, and what about them is probably not meant."""

from __future__ import annotations

from n2d2py import console, registry
from n2d2py.cells.base import Cell
from n2d2py.errors import GraphError, did_you_mean
from n2d2py.graph.network import Network
from n2d2py.ini import Document
from n2d2py.parameters import read
from n2d2py.parts.targets import Target


def read_targets(document: Document, network: Network) -> tuple[Target, ...]:
    """The targets of all cells, in the order of the cells and for each cell in that of the file.

    ``[<cell>.Target...]`` is a target of the cell; it may be empty. The first one is the primary target.
    """
    targets = tuple(
        _target(document, node.cell, section)
        for node in network
        for section in document.sections
        if section.startswith(f"{node.name}.Target")
    )
    _warn_of_strays(document, network, {target.name for target in targets})
    if not targets:
        console.warning(
            f"{document.file} has no [<cell>.Target] section: the network can be drawn, exported and used for "
            "inference, and neither learn nor be tested"
        )
    return targets


def _target(document: Document, cell: Cell, section: str) -> Target:
    scope = document.scope(section)
    named = scope.find("Type")
    entry = registry.find("target", named.text.strip() if named else "TargetScore", named.place if named else None)
    target: Target = read(entry, scope, name=section, cell=cell.name)
    scope.close(strict=True)
    console.line(
        f"Target: {cell.name} (target value: {target.target_value:g} / "
        f"default value: {target.default_value:g} / top-n value: {target.top_n})"
    )
    for what in cell.doubts(target):
        console.warning(f"{what}, at: {target.place()}")
    return target


def _warn_of_strays(document: Document, network: Network, known: set[str]) -> None:
    cells = [node.name for node in network]
    for name, section in document.sections.items():
        cell, dot, _ = name.partition(".Target")
        if dot and cell and name not in known:
            hint = did_you_mean(cell, cells)
            if document.strict:
                what = f"target section [{name}] belongs to no cell"
                raise GraphError(what, place=section.place, expected="[<cell>.Target]", remedy=hint)
            what = f"target section [{name}] belongs to no cell" + (f" ({hint})" if hint else "")
            console.warning(f"{what}, at: {section.place}")
