"""From an INI file to a network: which sections are cells, in which order, with which parameters.

A section is a cell if it has ``Input``, its own or an inherited one. N2D2's order of work is kept, because what
a cell publishes (``[conv1]_OutputsWidth``) may be read by the sections of the cells after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from n2d2py import cells, console, parts, registry
from n2d2py.cells.base import PROVIDER, ActivatedCell, Cell, Dims
from n2d2py.errors import GraphError, ParameterError, Place, nearest
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.graph.order import ordered
from n2d2py.graph.settings import (
    DATA_TYPE,
    Globals,
    check_model,
    config_sections,
    provider_section,
    read_globals,
    read_provider,
)
from n2d2py.graph.targets import read_targets
from n2d2py.graph.totals import report_cell, report_totals
from n2d2py.ini import Document, Scope
from n2d2py.kinds import names, word
from n2d2py.parameters import Record, parameter, read
from n2d2py.parts import provider
from n2d2py.parts.activations import Linear

__all__ = ["build", "provider_section", "read_globals", "read_provider", "report_unused"]

# Importing these rooms registers the types that Type=, QWeight= and so on name.
_ROOMS = (cells, parts)

_CROPS = ("InputOffsetX", "InputOffsetY", "InputWidth", "InputHeight")
_DISARMING = ("ActivationFunction", "Solvers", "WeightsSolver", "BiasSolver", "ScaleSolver", "QWeight", "QAct")
_OBSOLETE = re.compile(
    r"(ActivationFunction|\w*Solvers?)"
    r"\.(Quantization\w+|MovingAverage|MA_Window|EMA_Alpha|RoundingRate|Log2RoundingRate|Log2RoundingPower)"
)


@dataclass(frozen=True, kw_only=True)
class Heading(Record):
    """What the section of any cell begins with."""

    inputs: tuple[str, ...] = parameter("Input", names, (), "cells that feed this one, or sp, env or cenv")
    type: str = parameter("Type", word, "", "the type of the cell")
    model: str | None = parameter("Model", word, None, "model of this cell, in place of DefaultModel")
    data_type: str | None = parameter("DataType", DATA_TYPE, None, "type of the values, in place of DefaultDataType")


def build(document: Document, name: str) -> Network:
    """The network of a document; ``name`` is its title (that of the file).

    Prints each cell as N2D2 does and publishes its dimensions in the document. Raises :class:`GraphError`,
    :class:`ParameterError` or :class:`IniError` at the place of what is wrong.
    """
    settings = read_globals(document)
    check_model(settings.default_model, settings.default_data_type, settings.place("default_model"))
    stimuli = read_provider(document)
    network = Network(name, Dims(*stimuli.dims), stimuli.batch_size, ())
    headings = _headings(document)
    _check_parents(document, headings)
    places = {section: document.sections[section].place for section in headings}
    for section in ordered({section: heading.inputs for section, heading in headings.items()}, places):
        node = _node(network, _cell(document, section, headings[section], settings))
        report_cell(node)
        _publish(document, node)
        network = replace(network, nodes=(*network.nodes, node))
    if not network.nodes:
        raise GraphError(
            f"{document.file} has no cell",
            place=Place(document.file),
            expected="sections with Input and Type, of which the first reads from sp or env",
        )
    network = replace(network, targets=read_targets(document, network))
    lint(network)
    report_totals(network)
    return network


def report_unused(document: Document) -> None:
    """N2D2's notice for each section of which nothing was read; ``_def`` sections that are inherited are among them."""
    for section in document.unused():
        console.line(f"Notice: Unused section {section} in INI file")


# ------------------------------------------------------------------------------------------ which sections


def _headings(document: Document) -> dict[str, Heading]:
    """The headings of all cells in file order."""
    return {
        section: read(Heading, document.scope(section))
        for section, content in document.sections.items()
        if section and "Input" in content
    }


def _check_parents(document: Document, headings: Mapping[str, Heading]) -> None:
    for section, heading in headings.items():
        if not any(heading.inputs):
            raise GraphError(
                f"cell {section} has no input",
                place=heading.place("inputs"),
                expected=f"Input, with names of cells or {PROVIDER}",
            )
        for parent in heading.inputs:
            if parent in headings or parent in provider.NAMES:
                continue
            if parent in document.sections:
                remedy = f"[{parent}] is no cell because it has no Input"
            else:
                match = nearest(parent, [*headings, *provider.NAMES])
                remedy = f"did you mean {match}?" if match else f"known: {', '.join([PROVIDER, *headings])}"
            raise GraphError(
                f"input {parent!r} of cell {section} does not exist", place=heading.place("inputs"), remedy=remedy
            )


# ------------------------------------------------------------------------------------------------ one cell


def _cell(document: Document, section: str, heading: Heading, settings: Globals) -> Cell:
    type_ = _type(document, section, heading)
    model = heading.model or settings.default_model
    if heading.model or heading.data_type:
        place = heading.place("model") or heading.place("data_type")
        check_model(model, heading.data_type or settings.default_data_type, place)
    configs = config_sections(document, section, model)
    scope = document.scope(section, *configs)
    parents = tuple(PROVIDER if name in provider.NAMES else name for name in heading.inputs)
    _ignore_obsolete(document, scope, (section, *configs))
    cell: Cell = read(type_, scope, name=section, inputs=parents)
    _close(document, scope, section, cell)
    return _with_activation(cell)


def _type(document: Document, section: str, heading: Heading) -> type[Cell]:
    known = registry.names("cell")
    listed = f"known: {', '.join(known)}"
    if not heading.type:
        raise ParameterError(
            f"cell section [{section}] has Input and no Type",
            place=document.sections[section].place,
            expected="Type, the type of the cell",
            remedy=listed,
        )
    if not registry.known("cell", heading.type):
        match = nearest(heading.type, known)
        raise ParameterError(
            f"unknown cell type {heading.type!r}",
            place=heading.place("type"),
            remedy=f"did you mean {match}? {listed}" if match else listed,
        )
    found: type[Cell] = registry.find("cell", heading.type)
    return found


def _ignore_obsolete(document: Document, scope: Scope, sections: tuple[str, ...]) -> None:
    """Keys of the quantization that N2D2 had before SAT and LSQ have no effect; say so once a line of the file."""
    for section in sections:
        for key in document.sections[section].properties:
            if _OBSOLETE.fullmatch(key):
                scope.find(key)
                if document.first_warning(section, key):
                    place = document.sections[section].place_of(key)
                    console.warning(f"{key} belongs to an older N2D2 and is ignored; see QAct and QWeight, at: {place}")


def _close(document: Document, scope: Scope, section: str, cell: Cell) -> None:
    """Answer for the keys that the cell did not read."""
    content = document.sections[section]
    scope.find("Input", "Type", "Model", "DataType", "ConfigSection")
    scope.find(*(key for key in content.properties if key.startswith("ConfigSection(")))
    for key in _CROPS:
        value = scope.find(key)
        if value is not None and value.text.strip() != "0":
            raise ParameterError(f"{key} cannot crop the input of a cell", place=value.place, expected="0")
    # N2D2 checks these types only where nothing makes it read the whole section (spec A.7, mechanism 2).
    disarmed = any(key in content for key in _DISARMING)
    scope.close(strict=cell.strict and not disarmed)


def _with_activation(cell: Cell) -> Cell:
    """The quantizer of an output is part of an activation; without one, it is that of a linear one."""
    if not isinstance(cell, ActivatedCell) or cell.activation_quantizer is None or cell.activation is not None:
        return cell
    place = cell.place("activation_quantizer")
    console.warning(
        f"QAct on cell {cell.name} without ActivationFunction, which N2D2 would ignore: "
        f"ActivationFunction=Linear is assumed, at: {place}"
    )
    return replace(cell, activation=Linear())


def _node(network: Network, cell: Cell) -> Node:
    dims = tuple(network.dims(parent) for parent in cell.inputs)
    node = Node(cell, dims, cell.outputs(dims), cell.maps(dims))
    _warn_of_unconnected(node)
    return node


def _warn_of_unconnected(node: Node) -> None:
    if len(node.maps) < len(set(node.parents)):
        return  # a parent that is fully connected reaches every output
    alone = [
        str(output)
        for output in range(node.output.channels)
        if not any(matrix[:, output].any() for matrix in node.maps.values())
    ]
    if node.maps and alone:
        shown = ", ".join(alone[:10]) + (", ..." if len(alone) > 10 else "")
        console.warning(f"outputs {shown} of cell {node.name} have no connection, at: {node.cell.place('mapping')}")


def _publish(document: Document, node: Node) -> None:
    """Make the dimensions of a cell readable in the sections of the next ones."""
    computed = {
        "_NbChannels": sum(dims.channels for dims in node.inputs),
        "_ChannelsWidth": max(dims.width for dims in node.inputs),
        "_ChannelsHeight": max(dims.height for dims in node.inputs),
        "_NbOutputs": node.output.channels,
        "_OutputsWidth": node.output.width,
        "_OutputsHeight": node.output.height,
    }
    for key, value in computed.items():
        document.publish(node.name, key, value)
