"""What an INI file says about the cells of an imported graph: ``[node]`` sections, else ``[onnx:Conv_def]``.

A section that is meant to be such a one, and is none, is warned of.

Geometry is the node's. Everything else comes, first that is given, from: the override section, its configuration
sections, the node, the default of the parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from n2d2py import console
from n2d2py.cells.base import Cell
from n2d2py.errors import Place, nearest
from n2d2py.ini import Document, Scope
from n2d2py.kinds import Value, names
from n2d2py.onnx_import.node import OnnxNode
from n2d2py.parameters import declarations

CATEGORIES = {
    "Conv": "Conv, ConvInteger and ConvTranspose",
    "Fc": "Gemm, MatMul and MatMulInteger",
    "BatchNorm": "BatchNormalization",
    "Pool": "pooling",
    "Dropout": "Dropout",
    "LRN": "LRN",
    "Rectifier": "Relu, LeakyRelu, PRelu and Clip from 0",
}
"""Nodes that have a section in common, by what stands before ``_def``."""

_ELSEWHERE = ("ActivationFunction", "QAct", "QActSolver")
_MEANT = ("QWeight", "QAct", "ActivationFunction")
_CONFIGS = ("ConfigSection(Frame_CUDA)", "ConfigSection(Frame)", "ConfigSection")


class Overrides:
    """The override sections of one ``Type=ONNX`` section; without a document there are none."""

    def __init__(self, document: Document | None, section: str) -> None:
        self._document = document
        self._section = section
        self._asked: set[str] = set()

    def named(self, node: OnnxNode) -> Scope | None:
        """The section with the name of the node's first output, else of the node; a cell's section is none."""
        for name in (node.name, node.proto.name):
            if name and self._is_override(name):
                return self._scope(name)
        return None

    def of(self, node: OnnxNode, category: str | None) -> Scope | None:
        """The named section, else that of the category, such as ``onnx:Conv_def``; the two are not merged."""
        named = self.named(node)
        if named is not None or category is None:
            return named
        common = f"{self._section}:{category}_def"
        self._asked.add(common)
        return self._scope(common) if self._is_override(common) else None

    def warn_of_the_rest(self, nodes: Iterable[str]) -> None:
        """Say which sections look like overrides and are none; ``nodes`` are the names that such a section may have."""
        if self._document is None:
            return
        sections = self._document.sections
        inherited = {parent for section in sections.values() for parent in section.parents}
        known = list(nodes)
        for name, section in sections.items():
            if not name or section.keys_read or "Input" in section:
                continue
            category = name.removeprefix(f"{self._section}:")
            if category != name:
                self._warn_of_category(name, category, name in inherited)
            elif name not in inherited and self._is_meant(name):
                match = nearest(name, known)
                console.warning(
                    f"[{name}] has no effect: no node of [{self._section}] has this name or first output"
                    + (f" (did you mean {match}?)" if match else "")
                    + f", at: {section.place}"
                )

    def _warn_of_category(self, name: str, category: str, is_inherited: bool) -> None:
        assert self._document is not None
        place = self._document.sections[name].place
        if category in {f"{known}_def" for known in CATEGORIES}:
            if not is_inherited:
                which = CATEGORIES[category.removesuffix("_def")]
                if name not in self._asked:
                    why = f"there is no node of {which}, or each has a section of its own"
                else:
                    why = f"none of its keys is one of {which}"
                console.warning(f"[{name}] has no effect: {why}, at: {place}")
            return
        if not is_inherited:
            wanted = [f"{self._section}:{known}_def" for known in CATEGORIES]
            console.warning(f"[{name}] has no effect: there is no such category, only {', '.join(wanted)}, at: {place}")

    def _is_meant(self, name: str) -> bool:
        """Whether a section says what overrides say, and inherits as they do."""
        assert self._document is not None
        section = self._document.sections[name]
        return bool(section.parents) and any(key.split(".")[0] in _MEANT for key in section)

    def tells(self, section: str, key: str) -> bool:
        """Whether the text of a key, which many nodes may inherit, was not warned of before."""
        return self._document is not None and self._document.first_warning(section, key)

    def feeds_a_section(self, name: str) -> bool:
        """Whether a cell of the INI file has ``name`` among its inputs."""
        if self._document is None:
            return False
        sections = self._document.sections.values()
        given = (section.raw("Input") for section in sections if "Input" in section)
        return any(name in (item.strip() for item in text.split(",")) for text in given)

    def _is_override(self, name: str) -> bool:
        return (
            self._document is not None
            and name in self._document.sections
            and ("Input" not in self._document.sections[name])
        )

    def _scope(self, section: str) -> Scope:
        assert self._document is not None
        configs: tuple[str, ...] = ()
        for key in _CONFIGS:
            if (value := self._document.value(section, key)) is not None:
                configs = tuple(name for name in names.read(value) if name)
                break
        scope = self._document.scope(section, *configs)
        scope.find("Type", *_CONFIGS)
        return scope


@dataclass(frozen=True)
class NodeKeys:
    """Where the parameters of a cell made from a node are looked up; see ``parameters.Keys``.

    ``fixed`` values are the node's own and nothing overrides them, ``usual`` ones hold unless ``scope`` has the key.
    """

    place: Place
    scope: Scope | None
    fixed: Mapping[str, str]
    usual: Mapping[str, str]
    taken: frozenset[str]
    activates: bool
    tells: Callable[[str, str], bool]

    @classmethod
    def of(
        cls,
        place: Place,
        type_: type[Cell],
        scope: Scope | None,
        fixed: Mapping[str, str],
        usual: Mapping[str, str],
        *,
        activates: bool,
        tells: Callable[[str, str], bool],
    ) -> NodeKeys:
        """The keys of a cell of ``type_``.

        With ``activates`` its activation may be overridden; ``tells`` (section, key) is whether to warn of a key.
        """
        spelled = (declaration.spelled([""]) for declaration in declarations(type_).values())
        taken = frozenset(key for keys in spelled if any(key in fixed for key in keys) for key in keys)
        if scope is not None and scope.listed("QWeight"):
            usual = {key: value for key, value in usual.items() if not key.startswith("QWeight")}
        return cls(place, scope, fixed, usual, taken, activates, tells)

    def find(self, *spellings: str) -> Value | None:
        """The value of the first spelling that exists; all the given spellings count as read."""
        found = self.scope.find(*spellings) if self.scope is not None else None
        for key in spellings:
            if key in self.fixed:
                return Value(self.fixed[key], self.place)
        if any(self._why_not(key) for key in spellings):
            return None
        if found is not None:
            return found
        for key in spellings:
            if key in self.usual:
                return Value(self.usual[key], self.place)
        return None

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """Keys below ``prefix`` belong to a type whose keys are ``known``: an unread one is an error."""
        if self.scope is not None and (self.activates or prefix.split(".")[0] not in _ELSEWHERE):
            self.scope.claim(prefix, known, missing)

    def holds(self, prefixes: Sequence[str]) -> bool:
        """Whether there is any key below one of the prefixes."""
        below = tuple(prefixes)
        return any(key.startswith(below) for key in (*self.fixed, *self.usual)) or (
            self.scope is not None and self.scope.holds(prefixes)
        )

    def unread(self) -> list[str]:
        """The keys of the override section that nobody has asked for so far."""
        return [] if self.scope is None else self.scope.unread()

    def close(self) -> None:
        """Answer for what of the override section nobody reads, and for what has no effect there."""
        if self.scope is None:
            return
        for key in self.scope.listed(""):
            why = self._why_not(key)
            found = self.scope.find(key) if why else None
            if found is not None and self.tells(found.place.section or "", key):
                console.warning(f"{key} has no effect on {self.place.section}: {why}, at: {found.place}")
        self.scope.close()

    def _why_not(self, key: str) -> str | None:
        """Why an override cannot say ``key``; None if it can."""
        if key in self.taken or key.startswith("Mapping"):
            return "the ONNX node gives it"
        if not self.activates and key.split(".")[0] in _ELSEWHERE:
            return "an activation is overridden in the section of its own ONNX node"
        return None
