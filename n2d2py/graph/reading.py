"""One section of the INI file read as a cell: its type, its parameters, and an answer for every key of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from n2d2py import console, registry
from n2d2py.cells.base import ActivatedCell, Cell
from n2d2py.errors import ParameterError, nearest
from n2d2py.graph.models import DATA_TYPE, TRANSCODES, check_model, ignore_spiking, spikes
from n2d2py.graph.settings import Globals, config_sections
from n2d2py.graph.side import SideKeys
from n2d2py.ini import Document, Scope
from n2d2py.kinds import names, word
from n2d2py.parameters import Record, parameter, read
from n2d2py.parts.activations import Linear

IMPORT = "ONNX"
"""The type of a section that stands for all cells of a file."""

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


def read_headings(document: Document) -> dict[str, Heading]:
    """The headings of all cells, which are the sections with ``Input``, in file order."""
    return {
        section: read(Heading, document.scope(section))
        for section, content in document.sections.items()
        if section and "Input" in content
    }


def model_of(heading: Heading, settings: Globals) -> str:
    """The model of a cell; raises :class:`ParameterError` if there is no such model."""
    model = heading.model or settings.default_model
    if heading.model or heading.data_type:
        place = heading.place("model" if heading.model else "data_type")
        check_model(model, heading.data_type or settings.default_data_type, place)
    return model


def read_cell(
    document: Document, section: str, heading: Heading, model: str, parents: tuple[str, ...], has_side_file: bool
) -> Cell:
    """The record of a cell's section; ``parents`` are its inputs as the network names them."""
    type_ = _type(document, section, heading)
    configs = config_sections(document, section, model)
    scope = document.scope(section, *configs)
    _ignore_obsolete(document, scope, (section, *configs))
    if spikes(model) or model in TRANSCODES:
        ignore_spiking(document, scope, (section, *configs), type_)
    keys = SideKeys(section, scope) if has_side_file else scope
    cell: Cell = read(type_, keys, name=section, inputs=parents)
    if isinstance(keys, SideKeys):
        keys.close()
    _close(document, scope, section, cell)
    return _with_activation(cell)


def _type(document: Document, section: str, heading: Heading) -> type[Cell]:
    if heading.type and registry.known("cell", heading.type):
        found: type[Cell] = registry.find("cell", heading.type)
        return found
    known = registry.names("cell")
    listed = f"known: {', '.join([*known, IMPORT])}"
    if not heading.type:
        raise ParameterError(
            f"cell section [{section}] has Input and no Type",
            place=document.sections[section].place,
            expected="Type, the type of the cell",
            remedy=listed,
        )
    match = nearest(heading.type, known)
    raise ParameterError(
        f"unknown cell type {heading.type!r}",
        place=heading.place("type"),
        remedy=f"did you mean {match}? {listed}" if match else listed,
    )


def _ignore_obsolete(document: Document, scope: Scope, sections: tuple[str, ...]) -> None:
    """Keys of the quantization that N2D2 had before SAT and LSQ have no effect; say so once a line of the file."""
    for section in sections:
        for key in document.sections[section].properties:
            if "." in key and _OBSOLETE.fullmatch(key):
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
            raise ParameterError(
                f"{key} cannot crop the input of a cell",
                place=value.place,
                expected="0, which is the whole input",
                remedy="write 0, or remove the key",
            )
    # N2D2 checks these types only where nothing makes it read the whole section.
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
