"""What the evaluation of a property asks of a document, and what is known of a value that was worked out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, overload

from n2d2py.errors import Place

_MOST_NOTES = 3


class Resolved(NamedTuple):
    """A value, and what makes it another one for another section.

    ``variables`` are the names of the global variables in it: it is that of every section that has none of its own of
    these names. None where it holds for one section alone. ``chain`` is what it was read through.
    """

    text: str
    variables: frozenset[str] | None
    chain: tuple[str, ...] = ()


class Lookup(Protocol):
    """What evaluation asks of a document."""

    def has_section(self, section: str) -> bool: ...

    def section_names(self) -> list[str]: ...

    def keys(self, section: str) -> list[str]: ...

    def raw(self, section: str, key: str) -> str | None:
        """The unevaluated text of a property (a computed one as it is); None if there is none."""
        ...

    def place_of(self, section: str, key: str) -> Place: ...

    @property
    def resolved(self) -> dict[tuple[str, str], Resolved]:
        """What was worked out before and is still true."""
        ...

    def variable(self, current: str, name: str) -> tuple[str, str] | None:
        """Section and key that hold a variable for the section that reads."""
        ...

    def special(self, current: str, name: str) -> str | None:
        """The value of ``SECTION_NAME`` and ``PREV_SECTION_NAME``."""
        ...


class Notes(Sequence[str]):
    """Sentences about what could not be resolved; each is worked out when it is read, for it may compare many names."""

    def __init__(self) -> None:
        self._sentences: list[Callable[[], str]] = []

    def add(self, sentence: Callable[[], str]) -> None:
        if len(self._sentences) < _MOST_NOTES:
            self._sentences.append(sentence)

    def __len__(self) -> int:
        return len(self._sentences)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [sentence() for sentence in self._sentences[index]]
        return self._sentences[index]()
