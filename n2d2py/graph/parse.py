"""From the text form of a network (:mod:`n2d2py.graph.dump`) back to the network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from n2d2py import cells, parts, registry
from n2d2py.cells.base import PROVIDER, Cell, Dims
from n2d2py.cells.mapping import Mapping
from n2d2py.errors import GraphError, Place
from n2d2py.graph.lint import lint
from n2d2py.graph.network import FRAME, Network, Node
from n2d2py.graph.notation import read_rows, split, unquoted
from n2d2py.kinds import Value
from n2d2py.parameters import read
from n2d2py.parts.targets import Target

# Importing these rooms registers the types that the text names.
_ROOMS = (cells, parts)

_INDENT = "    "
_TITLE = re.compile(r"network (?P<name>.*), batches of (?P<batch>\d+)", re.ASCII)
_PROVIDER = re.compile(rf"{PROVIDER} +(?P<dims>\S+)")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(
    rf'(?P<name>{_QUOTED}|[^\s"(),=;]+) = (?P<type>\w+)\((?P<parents>(?:{_QUOTED}|[^"()])*)\)(?P<rest>.*)'
)
_DIMS = re.compile(r" +(?P<dims>\d+(?:x\d+){2,3})", re.ASCII)
_MAP = re.compile(r"(?P<form>.*) \((?:unit|all pairs|\d+ of \d+ pairs)\)", re.ASCII)


def parse(text: str, file: str = "network") -> Network:
    """The network of a text; raises :class:`GraphError` with the line where it is none, or breaks a rule."""
    reader = _Reader(file)
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            reader.take(line, Place(file, number))
        except ValueError as error:
            raise GraphError(
                f"unreadable line of a network: {line.strip()!r}",
                place=Place(file, number),
                expected="what dump writes",
                remedy=str(error) or None,
            ) from None
    network = reader.network()
    lint(network)
    return network


class _Keys:
    """The keys of one cell or target, as parameters are looked up."""

    def __init__(self, place: Place, values: dict[str, str]) -> None:
        self.place = place
        self._values = values
        self._asked: set[str] = set()

    def find(self, *spellings: str) -> Value | None:
        self._asked.update(spellings)
        return next((Value(self._values[key], self.place) for key in spellings if key in self._values), None)

    def listed(self, prefix: str) -> list[str]:
        return [key for key in self._values if key.startswith(prefix)]

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """Nothing is inherited here: a key that nobody asks for is wrong, whatever it begins with."""

    def holds(self, prefixes: Sequence[str]) -> bool:
        return any(key.startswith(tuple(prefixes)) for key in self._values)

    def unread(self) -> list[str]:
        return [key for key in self._values if key not in self._asked]

    def close(self) -> None:
        unknown = self.unread()
        if unknown:
            raise ValueError(f"{unknown[0]} is not known there")


@dataclass
class _Draft:
    """A cell whose lines are still being read."""

    place: Place
    name: str
    type: str
    parents: tuple[str, ...]
    output: Dims
    keys: dict[str, str] = field(default_factory=dict)
    maps: dict[str, Mapping] = field(default_factory=dict)
    model: str = FRAME


class _Reader:
    """What the lines so far say."""

    def __init__(self, file: str) -> None:
        self._place = Place(file)
        self._title: tuple[str, int] | None = None
        self._dims: dict[str, Dims] = {}
        self._nodes: list[Node] = []
        self._draft: _Draft | None = None
        self._targets: list[Target] = []
        self._shared: dict[str, dict[str, str]] = {}

    def take(self, line: str, place: Place) -> None:
        """One line; raises ValueError if it is none of a network."""
        if not line.strip():
            return
        if self._title is None:
            title = _matched(_TITLE, line)
            self._title = unquoted(title["name"]), int(title["batch"])
        elif not self._dims:
            self._dims[PROVIDER] = _dims(_matched(_PROVIDER, line)["dims"])
        elif line.startswith(_INDENT):
            self._below(line.removeprefix(_INDENT))
        else:
            self._finish()
            self._begin(_matched(_HEAD, line), place)

    def network(self) -> Network:
        """The network of all lines."""
        self._finish()
        if self._title is None or not self._dims:
            raise GraphError("the text is no network", place=self._place, expected="network NAME, batches of N")
        name, batch = self._title
        stimuli = self._dims[PROVIDER]
        return Network(name, stimuli, batch, tuple(self._nodes), tuple(self._targets), shared=self._shared)

    def _begin(self, head: re.Match[str], place: Place) -> None:
        name = unquoted(head["name"])
        parents = tuple(unquoted(parent) for parent in split(head["parents"], ", ")) if head["parents"] else ()
        dims = _DIMS.fullmatch(head["rest"])
        if dims is not None:
            self._draft = _Draft(place, name, head["type"], parents, _dims(dims["dims"]))
            return
        _, colon, texts = head["rest"].partition(": ")
        if head["rest"] and not colon:
            raise ValueError("a cell ends in its dimensions, a target in its parameters behind a colon")
        keys = _Keys(place, dict(_assigned(item) for item in split(texts, ", ")) if texts else {})
        entry: type[Target] = registry.find("target", head["type"], place)
        self._targets.append(read(entry, keys, name=name, cell=parents[0]))
        keys.close()

    def _below(self, line: str) -> None:
        draft = self._draft
        if draft is None:
            raise ValueError("there is no cell to which it belongs")
        if line.startswith("map of "):
            parent, form = split(line.removeprefix("map of "), ": ")
            draft.maps[unquoted(parent)] = _map(_matched(_MAP, form)["form"], draft.output.channels)
        elif line.startswith("model "):
            draft.model = line.removeprefix("model ")
        elif line.startswith("shared "):
            tensor, _, cell = line.removeprefix("shared ").partition(" of ")
            self._shared.setdefault(draft.name, {})[tensor] = unquoted(cell)
        else:
            draft.keys.update(_cell_keys(line))

    def _finish(self) -> None:
        """Make the node of the cell whose lines are read."""
        draft, self._draft = self._draft, None
        if draft is None:
            return
        unknown = [parent for parent in draft.parents if parent not in self._dims]
        if unknown:
            raise GraphError(f"cell {draft.name}: its input {unknown[0]} does not come before it", place=draft.place)
        entry: type[Cell] = registry.find("cell", draft.type, draft.place)
        keys = _Keys(draft.place, {"NbOutputs": str(draft.output.channels)} | draft.keys)
        cell = read(entry, keys, name=draft.name, inputs=draft.parents)
        keys.find("NbOutputs")
        try:
            keys.close()
        except ValueError as error:
            raise GraphError(f"cell {draft.name}: {error}", place=draft.place) from None
        if draft.maps:
            changes: dict[str, Any] = {"mapping": draft.maps}
            cell = replace(cell, **changes)
        inputs = tuple(self._dims[parent] for parent in draft.parents)
        self._nodes.append(Node(cell, inputs, draft.output, cell.maps(inputs), draft.model))
        self._dims[draft.name] = draft.output


def _matched(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise ValueError
    return match


def _dims(text: str) -> Dims:
    sizes = [int(size) for size in text.split("x")]
    if len(sizes) not in (3, 4) or min(sizes) < 1:
        raise ValueError("dimensions are channels x [depth x] height x width")
    return Dims(sizes[-1], sizes[-2], sizes[0], sizes[1] if len(sizes) == 4 else 1)


def _assigned(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} has no =")
    return key, unquoted(value)


def _cell_keys(line: str) -> dict[str, str]:
    """The keys of a line of plain parameters, or of a part with its own below it."""
    head, *rest = split(line, ": ")
    if len(rest) == 1:
        key, type_ = _assigned(head)
        below = (_assigned(item) for item in split(rest[0], ", "))
        return {key: type_, **{f"{key}.{name}": value for name, value in below}}
    return dict(_assigned(item) for item in split(line, "; "))


def _map(form: str, outputs: int) -> Mapping:
    if form.startswith("rows "):
        return Mapping(matrix=read_rows(form.removeprefix("rows "), outputs))
    keys = dict(_assigned(item) for item in split(form, ", "))
    pairs = {key.lower(): _pair(keys.pop(key)) for key in ("Size", "Stride", "Offset") if key in keys}
    names = {"NbGroups": "nb_groups", "ChannelsPerGroup": "channels_per_group", "NbIterations": "nb_iterations"}
    numbers = {names[key]: int(keys.pop(key)) for key in names if key in keys}
    if keys:
        raise ValueError(f"{next(iter(keys))} is no key of a map")
    changes: dict[str, Any] = {**pairs, **numbers}
    return Mapping(**changes)


def _pair(text: str) -> tuple[int, int]:
    x, y = text.split()
    return int(x), int(y)
