"""Everything that an INI file can name, found in the registry and in the declarations of the parameters.

A *topic* is a record with parameters (cell Conv, solver SGD, the section of the stimuli), or a named function (a
policy of the learning rate). What this module knows of them it takes from their classes: no list of names stands
here.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from n2d2py import cells, parts, registry
from n2d2py.data import databases, transformations
from n2d2py.data.databases.labels_only import LabelsOnly
from n2d2py.data.selection import FilterRois, Slicing, SortAndDropLabels
from n2d2py.data.settings import Settings
from n2d2py.data.statistics import StimuliData
from n2d2py.graph.reading import Heading
from n2d2py.graph.settings import Globals
from n2d2py.onnx_import import OnnxModel
from n2d2py.parameters import REQUIRED, Declaration, Record, declarations
from n2d2py.parts import recipes
from n2d2py.parts.provider import Provider

# Importing these rooms registers what they declare, and none of them imports torch.
_ROOMS = (cells, parts, databases, transformations)

_SHOWN_AS = {"operator": "ONNX operator"}
_OPTIONAL_ENDINGS = ("Filler", "Transformation", "_Database")


@dataclass(frozen=True)
class Topic:
    """Something with a name: its kind, and the records whose parameters it has (none for a function)."""

    kind: str
    name: str
    doc: str
    records: tuple[type[Record], ...] = ()

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.split("\n", 1)[0].removesuffix("::")

    @property
    def title(self) -> str:
        """``cell Conv``; what stands for itself alone has no kind before its name."""
        return self.name if self.kind == "section" else f"{self.kind} {self.name}"

    def parameters(self) -> list[Parameter]:
        """Every parameter, in the order of its class; one that two records declare stands once."""
        found: dict[str, Parameter] = {}
        for record in self.records:
            for name, declaration in declarations(record).items():
                found.setdefault(declaration.key, Parameter(declaration, record.__name__, name))
        return list(found.values())


@dataclass(frozen=True)
class Parameter:
    """A declared parameter as text."""

    declaration: Declaration
    owner: str
    field: str

    @property
    def key(self) -> str:
        """The preferred spelling."""
        return self.spellings[0]

    @property
    def spellings(self) -> list[str]:
        """All keys by which it may be written."""
        return self.declaration.spelled([""])

    @property
    def type_name(self) -> str:
        """The type in words."""
        return self.declaration.type_name

    @property
    def part(self) -> str | None:
        """The kind of the registered types that it chooses from, if it does; their keys stand below its own."""
        return self.declaration.part

    @property
    def default(self) -> str:
        """The default as an INI file has it; ``required`` if there is none, empty if nothing is the default."""
        value = self.declaration.default
        if value is REQUIRED:
            return "required"
        return "" if value is None or value == () else self.declaration.format(value)

    @property
    def meaning(self) -> str:
        """What it does, and its unit."""
        unit = self.declaration.unit
        return f"{self.declaration.meaning} ({unit})" if unit else self.declaration.meaning


# ------------------------------------------------------------------------------------------------- finding


@cache
def topics() -> tuple[Topic, ...]:
    """Everything there is: what is registered by kind and name, then the sections that have no Type."""
    return (*_registered(), *_sections())


def _registered() -> Iterator[Topic]:
    for kind in registry.kinds():
        for name in registry.names(kind):
            entry = registry.find(kind, name)
            if isinstance(entry, type) and issubclass(entry, Record):
                yield Topic(kind, name, _doc(entry), (entry,))
    for kind, folder in (("policy", "learn"), ("operator", "onnx_import/operators")):
        for name, doc in sorted(_entered(kind, folder).items()):
            yield Topic(_SHOWN_AS.get(kind, kind), name, doc)
    for name in recipes.names():
        yield Topic("recipe", name, recipes.parse(name).doc)


def _sections() -> Iterator[Topic]:
    yield Topic("section", "globals", _doc(Globals), (Globals,))
    yield Topic("section", "[sp]", f"{_doc(Provider)}\n\n{_doc(Settings)}", (Provider, Settings))
    yield Topic("section", "[cell]", _doc(Heading), (Heading,))
    yield Topic("section", "[ONNX cell]", _doc(OnnxModel), (Heading, OnnxModel))
    yield Topic("section", "[sp.StimuliData]", _doc(StimuliData), (StimuliData,))
    yield Topic("section", "[database] without Type", _doc(LabelsOnly), (LabelsOnly,))
    for record, name in ((SortAndDropLabels, "sortAndDropLabels"), (FilterRois, "filterROIs"), (Slicing, "slicing")):
        yield Topic("section", f"[database.{name}]", _doc(record), (record,))


def kinds() -> list[str]:
    """The kinds that have topics, sorted."""
    return sorted({topic.kind for topic in topics()})


def plural(kind: str) -> str:
    """Many of a kind: ``cells``, ``policies``."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def of_kind(kind: str) -> list[Topic]:
    """The topics of a kind, by name; upper and lower case are one."""
    return sorted((topic for topic in topics() if topic.kind == kind), key=lambda topic: topic.name.lower())


def named(name: str) -> list[Topic]:
    """The topics called ``name``, in any case, without brackets or without the ending that all of their kind have."""
    wanted = _folded(name)
    exact = [topic for topic in topics() if _folded(topic.name) == wanted]
    if exact or not wanted:
        return exact
    whole = {wanted + ending.lower() for ending in _OPTIONAL_ENDINGS}
    return [topic for topic in topics() if _folded(topic.name) in whole]


def _folded(name: str) -> str:
    folded = name.strip("[] ").lower()
    folded = "onnx" if folded == "onnx cell" else folded
    return "sp" if folded in ("env", "cenv") else folded


def with_key(key: str) -> list[tuple[Parameter, list[Topic]]]:
    """The parameters that may be written as ``key``, each with the topics that have it; equal ones are one."""
    found: dict[tuple[str, ...], tuple[Parameter, list[Topic]]] = {}
    for topic in topics():
        for parameter in topic.parameters():
            if key.lower() in (spelled.lower() for spelled in parameter.spellings):
                same = (parameter.key, parameter.type_name, parameter.default, parameter.meaning)
                found.setdefault(same, (parameter, []))[1].append(topic)
    return list(found.values())


def keys() -> set[str]:
    """Every key of every topic."""
    return {key for topic in topics() for parameter in topic.parameters() for key in parameter.spellings}


# --------------------------------------------------------------------------------------- what a cell can do


@dataclass(frozen=True)
class Support:
    """What a cell type can do in quantized networks: None where it has nothing to quantize."""

    weights: bool | None
    activation: bool
    integer: bool
    absorbed: bool = False


def support(topic: Topic) -> Support:
    """Whether the weights of a cell type learn quantized, its output takes QAct (or QOutput), and it has an
    integer form."""
    cell: Any = topic.records[0]
    keys = {key for parameter in topic.parameters() for key in parameter.spellings}
    weights = True if "QWeight" in keys or cell.normalizes else None
    return Support(weights, "QAct" in keys or "QOutput" in keys, topic.name in lowered(), cell.normalizes)


@cache
def lowered() -> frozenset[str]:
    """The cell types that have an integer form."""
    return frozenset(_entered("lowering", "integer/lowering"))


def _entered(kind: str, folder: str) -> dict[str, str]:
    """What the modules of a folder register as ``kind``: name -> docstring.

    For rooms that import torch: their ``@register(kind, name)`` are read in their source and not run.
    """
    found = {}
    for module in sorted((Path(__file__).parent / folder).glob("*.py")):
        for entry in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(entry, ast.FunctionDef | ast.ClassDef):
                for name in _names(kind, entry):
                    found[name] = ast.get_docstring(entry) or ""
    return found


def _names(kind: str, entry: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    for decorator in entry.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="register"), args=[ast.Constant(value=of), ast.Constant(value=name)]):
                if of == kind:
                    yield str(name)


def _doc(entry: Any) -> str:
    return inspect.getdoc(entry) or ""
