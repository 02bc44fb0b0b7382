"""A section: its raw properties, where each of them stands, and which of them were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from n2d2py.errors import Place

_LONGEST_CHAIN = 12


class Property(NamedTuple):
    """The raw text of a property and where it is written; sections that inherit it share it."""

    text: str
    file: str
    line: int
    owner: Section
    chain: tuple[str, ...] = ()
    """For a property of a template, the way to the section that includes it."""


_NOTHING: Mapping[str, Property] = MappingProxyType({})


class Section:
    """A section of an INI file.

    It inherits what its parents have when its header is met, where they are complete: of several parents the first
    one wins, and what the section says itself wins over all of them.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        parents: Sequence[Section] = (),
        previous: str = "",
        inherited: Mapping[str, Property] | None = None,
    ) -> None:
        self.name = name
        self.place = place
        self.previous = previous
        """Name of the section before this one, which ``${PREV_SECTION_NAME}`` gives."""
        self.keys_read: set[str] = set()
        self._parents = tuple(parents)
        self._own: dict[str, Property] = {}
        # Sections with the same parents share this: a network of many cells has few different ones.
        self._inherited = merged(parents) if inherited is None else inherited

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the sections from which this one inherits, in the order of its header."""
        return tuple(parent.name for parent in self._parents)

    @property
    def properties(self) -> Mapping[str, str]:
        """The raw text of each property, inherited ones first."""
        return {key: entry.text for key, entry in self.everything().items()}

    def __iter__(self) -> Iterator[str]:
        """The keys of all properties, inherited ones first."""
        yield from self._inherited
        yield from (key for key in self._own if key not in self._inherited)

    def everything(self) -> Mapping[str, Property]:
        """All properties, inherited ones first."""
        return {**self._inherited, **self._own} if self._own else self._inherited

    def owns(self, key: str) -> bool:
        """Whether the property is written in the section itself."""
        return key in self._own

    def __contains__(self, key: object) -> bool:
        return key in self._own or key in self._inherited

    def __len__(self) -> int:
        return len(self._inherited) + sum(key not in self._inherited for key in self._own)

    def __repr__(self) -> str:
        return f"Section({self.name!r}, {len(self)} properties)"

    def own_keys(self) -> list[str]:
        """The keys that the section does not merely inherit."""
        return list(self._own)

    def define(self, key: str, text: str, file: str, line: int, chain: tuple[str, ...] = ()) -> str | None:
        """Give the section a property of its own; returns the raw text that it replaces, or None."""
        previous = self.get(key)
        self._own[key] = Property(text, file, line, self, chain)
        return previous.text if previous is not None else None

    def raw(self, key: str) -> str:
        """The text of a property as it is written; raises KeyError if there is none."""
        return self._entry(key).text

    def get(self, key: str) -> Property | None:
        """The property of that name, or None."""
        return self._own.get(key) or self._inherited.get(key)

    def _entry(self, key: str) -> Property:
        entry = self.get(key)
        if entry is None:
            raise KeyError(key)
        return entry

    def origin(self, key: str) -> tuple[str, int]:
        """File and line where the text of a property is written, be it in this section or an ancestor."""
        entry = self._entry(key)
        return entry.file, entry.line

    def place_of(self, key: str) -> Place:
        """The place of a property.

        For an inherited one this is the header that inherits, and the chain leads through the parents to the
        line where the text is written.
        """
        entry = self._entry(key)
        if entry.owner is self:
            return Place(entry.file, entry.line, self.name, key, entry.chain)
        chain: list[str] = []
        heir = self
        while entry.owner is not heir and len(chain) < _LONGEST_CHAIN:
            heir = next(parent for parent in heir._parents if parent.get(key) is entry)
            line = entry.line if entry.owner is heir else heir.place.line
            chain.append(f"inherited from [{heir.name}] ({heir.place.file}:{line})")
        return Place(self.place.file, self.place.line, self.name, key, (*chain, *self.place.chain))


def merged(parents: Sequence[Section]) -> Mapping[str, Property]:
    """What a section with these parents inherits."""
    if len(parents) == 1:
        return parents[0].everything()
    if not parents:
        return _NOTHING
    result = dict(parents[0].everything())
    for parent in parents[1:]:
        for key, entry in parent.everything().items():
            result.setdefault(key, entry)
    return result
