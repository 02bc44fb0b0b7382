"""The targets of a network: which sections they are, and what about them is probably not meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from n2d2py import console, registry
from n2d2py.errors import GraphError, nearest
from n2d2py.graph.network import Node
from n2d2py.ini import Document
from n2d2py.parameters import read
from n2d2py.parts.provider import Provider
from n2d2py.parts.targets import Target, TargetBBox, TargetRP, TargetScore

_MARK = ".Target"
_MOST_STRAYS = 20
"""Sections that belong to no cell are each looked at for a likely name, up to this number."""


def read_targets(
    document: Document,
    nodes: Sequence[Node],
    stimuli: Provider,
    losses: Collection[str] = (),
    aliases: Mapping[str, str] | None = None,
) -> tuple[Target, ...]:
    """The targets of all cells, in the order of the cells and for each cell in that of the file.

    ``[<cell>.Target...]`` is a target of the cell; it may be empty. The first one is the primary target. ``losses`` are
    imported cells that have one without a section; ``aliases`` are other names of imported cells.
    """
    sections = _sections(document, {**(aliases or {}), **{node.name: node.name for node in nodes}})
    targets: list[Target] = []
    for node in nodes:
        for section in sections.get(node.name, ()):
            targets.append(_read(document, node, nodes, section, stimuli))
        if node.name in losses and node.name not in sections:
            targets.append(TargetScore(name=f"{node.name}{_MARK}", cell=node.name, places=node.cell.places))
            _report(targets[-1])
    _warn_of_strays(document, nodes, {target.name for target in targets})
    if not targets:
        console.warning(
            f"{document.file} has no [<cell>.Target] section: the network can be drawn, exported and used for "
            "inference, and neither learn nor be tested"
        )
    return tuple(targets)


def _sections(document: Document, cells: Mapping[str, str]) -> dict[str, list[str]]:
    """By cell its sections of targets, in file order; ``cells`` gives the cell of each name that one may have."""
    found: dict[str, list[str]] = {}
    lengths = {len(cell) for cell in cells}
    for section in document.sections:
        if section in cells:
            continue
        names = [section[:end] for end in _ends(section) if end in lengths]
        longest = next((name for name in reversed(names) if name in cells), None)
        if longest is not None:
            found.setdefault(cells[longest], []).append(section)
    return found


def _ends(section: str) -> Iterator[int]:
    """Where ``.Target`` begins in a name, each time that it does."""
    end = section.find(_MARK)
    while end >= 0:
        yield end
        end = section.find(_MARK, end + 1)


def _read(document: Document, node: Node, nodes: Sequence[Node], section: str, stimuli: Provider) -> Target:
    scope = document.scope(section)
    named = scope.find("Type")
    entry = registry.find("target", named.text.strip() if named else "TargetScore", named.place if named else None)
    target: Target = read(entry, scope, name=section, cell=node.name)
    scope.close(strict=True)
    if isinstance(target, TargetRP) and not target.proposals:
        target = replace(target, proposals=_proposing(node, nodes))
    _report(target)
    _doubt(node, target)
    if target.data_as_target:
        _check_reconstruction(node, target, stimuli)
    return target


def _proposing(node: Node, nodes: Sequence[Node]) -> str:
    """The last cell before ``node`` that gives boxes; empty if there is none."""
    needed = set(node.parents)
    for other in reversed(nodes):
        if other.name in needed:
            if other.cell.found_in(other.inputs) is not None:
                return other.name
            needed.update(other.parents)
    return ""


def _report(target: Target) -> None:
    console.line(
        f"Target: {target.cell} (target value: {target.target_value:g} / "
        f"default value: {target.default_value:g} / top-n value: {target.top_n})"
    )


def _doubt(node: Node, target: Target) -> None:
    place = target.place()
    for what in node.cell.doubts(target):
        console.warning(f"{what}, at: {place}")
    if target.absent:
        console.warning(f"target {target.name} can be neither learned nor tested here: {target.absent}, at: {place}")
    if isinstance(target, TargetBBox):
        _doubt_boxes(node, target)
    if bool(target.mask_label_target) != (target.masked_label >= 0):
        pair = ("MaskLabelTarget", "MaskedLabel")
        there, missing = pair if target.mask_label_target else reversed(pair)
        console.warning(f"{there} of target {target.name} has no effect without {missing}, at: {place}")


def _doubt_boxes(node: Node, target: TargetBBox) -> None:
    rows = node.cell.found_in(node.inputs)
    if rows is None:
        console.warning(
            f"target {target.name} can be neither learned nor tested here: cell {node.name} gives no boxes "
            f"({node.cell.type_name}), at: {target.place()}"
        )
    elif "nb_class" in target.places and target.nb_class != rows.classes:
        console.warning(
            f"NbClass={target.nb_class} of target {target.name} has no effect: cell {node.name} tells {rows.classes} "
            f"classes of boxes apart, at: {target.place('nb_class')}"
        )


def _check_reconstruction(node: Node, target: Target, stimuli: Provider) -> None:
    """Raise :class:`GraphError` if an output that is compared with the input has not as many values."""
    width, height, channels, depth = stimuli.target_dims or (*stimuli.dims, stimuli.depth)
    wanted = width * height * channels * depth
    if node.output.size != wanted:
        what = "data of the target" if stimuli.target_dims else "stimuli"
        raise GraphError(
            f"target {target.name} compares cell {node.name} with the {what}, which have {wanted} values, "
            f"and the cell gives {node.output.size}",
            place=target.place("data_as_target"),
            expected=f"an output of {width}x{height} and {channels} channels",
        )


def _warn_of_strays(document: Document, nodes: Sequence[Node], known: Collection[str]) -> None:
    strays = 0
    for name, section in document.sections.items():
        cell, dot, _ = name.partition(_MARK)
        if not dot or not cell or name in known:
            continue
        match = nearest(cell, [node.name for node in nodes]) if strays < _MOST_STRAYS else None
        strays += 1
        hint = f"did you mean {match}?" if match else None
        if document.strict:
            what = f"target section [{name}] belongs to no cell"
            raise GraphError(what, place=section.place, expected="[<cell>.Target]", remedy=hint)
        what = f"target section [{name}] belongs to no cell" + (f" ({hint})" if hint else "")
        console.warning(f"{what}, at: {section.place}")
