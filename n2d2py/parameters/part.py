"""Parameters that are parts: a registered type that one key names, with the keys of that type below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py import registry
from n2d2py.errors import Place
from n2d2py.parameters.declaration import Declaration, declare
from n2d2py.parameters.keys import Keys
from n2d2py.parameters.record import Record, check, known_keys, read, written

_last_unwritten: list[Any] = [None, None, None]
"""The solvers of one cell are read one after the other: they share what is not written."""


def choice(
    bases: str | tuple[str, ...],
    kind: str,
    default: Any,
    meaning: str,
    *,
    type_default: str | None = None,
    spellings: tuple[str, ...] = (),
) -> Any:
    """Declare a part of a registered kind: ``QWeight=SAT`` with ``QWeight.Range=15``.

    ``default`` holds if the key is absent. With ``type_default``, that type is read instead, so that its
    parameters count even where the key that names the type is absent (``Solvers.LearningRate`` without
    ``Solvers=SGD``).
    """
    several = (bases,) if isinstance(bases, str) else bases
    return declare(
        _Choice(
            key=several[0],
            default=default,
            meaning=meaning,
            kind=kind,
            bases=several,
            spellings=spellings,
            type_default=type_default,
        )
    )


@dataclass(frozen=True)
class _Choice(Declaration):
    """A registered type named by a key, with its own parameters below ``key.``.

    With several bases (``WeightsSolver``, ``Solvers``) each parameter is looked for below each of them, the
    first base winning.
    """

    kind: str = ""
    bases: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    type_default: str | None = None

    @property
    def type_name(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}: {', '.join(registry.names(self.kind))}"

    @property
    def part(self) -> str | None:
        return self.kind

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [prefix + key for prefix in prefixes for key in (*self.bases, *self.spellings)]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        spelled = self.spelled(prefixes)
        below = [f"{key}." for key in spelled]
        value = keys.find(*spelled)
        if value is None and self.type_default is None:
            for prefix in below:
                keys.claim(prefix, (), missing=spelled[0])
            return self.absent(keys, prefixes), None
        if value is None:
            entry, place = registry.find(self.kind, self.type_default or ""), None
        else:
            entry, place = registry.find(self.kind, value.text.strip(), value.place), value.place
        for prefix in below:
            keys.claim(prefix, known_keys(entry))
        if value is None and not keys.holds(below):
            # Most solvers and fillers of a large network are written nowhere: nothing is looked up for them.
            return _unwritten(entry, keys.place), None
        return read(entry, keys, below), place

    def format(self, value: Any) -> str:
        return "" if value is None else registry.name_of(self.kind, type(value))

    def check(self, value: Any) -> None:
        if isinstance(value, Record):
            check(value)

    def written(self, value: Any) -> dict[str, str]:
        below = {} if value is None else written(value)
        return {self.key: self.format(value), **{f"{self.key}.{key}": text for key, text in below.items()}}


def _unwritten(entry: Any, place: Place) -> Any:
    """A part of which no key is given: its defaults, at the place of the section that does not name it."""
    if (entry, place) != _last_unwritten[:2]:
        _last_unwritten[:] = entry, place, entry(places={"": place})
    return _last_unwritten[2]
