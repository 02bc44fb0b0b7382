"""What parameters are read from, and the error that one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from n2d2py.errors import ParameterError, Place, nearest
from n2d2py.kinds import Value


class Keys(Protocol):
    """Where parameters are looked up: a section, or a cell's section before its configuration sections."""

    @property
    def place(self) -> Place:
        """The place of the section itself, for what is missing."""
        ...

    def find(self, *spellings: str) -> Value | None:
        """The value of the first spelling that exists; all the given spellings count as read."""
        ...

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """Keys below ``prefix`` belong to a type whose keys are ``known``: an unread one is an error.

        ``missing`` is the key without which none of them has an effect, if it is not there.
        """
        ...

    def holds(self, prefixes: Sequence[str]) -> bool:
        """Whether there is any key below one of the prefixes, which end in a dot."""
        ...

    def unread(self) -> list[str]:
        """The keys that nobody has asked for so far: a required one that is missing may be misspelt among them."""
        ...


class MissingKeyError(ParameterError):
    """A required key is missing; ``spellings`` are those under which it was looked for."""

    def __init__(self, key: str, spellings: Sequence[str], *, place: Place, expected: str) -> None:
        super().__init__(f"missing key {key}", place=place, expected=expected)
        self.spellings = spellings

    def look_among(self, unread: Iterable[str]) -> None:
        """Say in the remedy which of the unread keys is most likely a misspelling of this one."""
        for key in unread:
            match = nearest(key, self.spellings)
            if match is not None:
                self.remedy = f"did you mean {match} where it says {key}?"
                return
