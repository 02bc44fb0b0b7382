"""A section: its raw properties, where each of them stands, and which of them were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from n2d2py.errors import Place

_LONGEST_CHAIN = 12


@dataclass(frozen=True, eq=False)
class Property:
    """The raw text of a property and where it is written; sections that inherit it share it."""

    text: str
    file: str
    line: int
    owner: Section


class Section:
    """A section of an INI file.

    Inheritance copies the parents' properties once, when the header is met: of several parents the first one
    wins, and what the section says itself wins over all of them.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        parents: Sequence[Section] = (),
        previous: str = "",
    ) -> None:
        self.name = name
        self.place = place
        self.previous = previous
        """Name of the section before this one, which ``${PREV_SECTION_NAME}`` gives."""
        self.keys_read: set[str] = set()
        self._parents = tuple(parents)
        self._entries: dict[str, Property] = {}
        for parent in parents:
            self._entries.update({key: entry for key, entry in parent._entries.items() if key not in self._entries})

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the sections from which this one inherits, in the order of its header."""
        return tuple(parent.name for parent in self._parents)

    @property
    def properties(self) -> Mapping[str, str]:
        """The raw text of each property, inherited ones first."""
        return {key: entry.text for key, entry in self._entries.items()}

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Section({self.name!r}, {len(self)} properties)"

    def define(self, key: str, text: str, file: str, line: int) -> str | None:
        """Give the section a property of its own; returns the raw text that it replaces, or None."""
        previous = self._entries.get(key)
        self._entries[key] = Property(text, file, line, self)
        return previous.text if previous is not None else None

    def raw(self, key: str) -> str:
        """The text of a property as it is written; raises KeyError if there is none."""
        return self._entries[key].text

    def origin(self, key: str) -> tuple[str, int]:
        """File and line where the text of a property is written, be it in this section or an ancestor."""
        entry = self._entries[key]
        return entry.file, entry.line

    def place_of(self, key: str) -> Place:
        """The place of a property.

        For an inherited one this is the header that inherits, and the chain leads through the parents to the
        line where the text is written.
        """
        entry = self._entries[key]
        if entry.owner is self:
            return Place(entry.file, entry.line, self.name, key, self.place.chain)
        chain: list[str] = []
        heir = self
        while entry.owner is not heir and len(chain) < _LONGEST_CHAIN:
            heir = next(parent for parent in heir._parents if parent._entries.get(key) is entry)
            line = entry.line if entry.owner is heir else heir.place.line
            chain.append(f"inherited from [{heir.name}] ({heir.place.file}:{line})")
        return Place(self.place.file, self.place.line, self.name, key, (*chain, *self.place.chain))
