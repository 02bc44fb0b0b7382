"""What all declarations have in common, whatever keys they are read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from n2d2py.errors import Place
from n2d2py.parameters.keys import Keys, MissingKeyError


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Any = _Required()


@dataclass(frozen=True)
class Declaration:
    """What all forms of declaration have in common."""

    key: str
    default: Any
    meaning: str
    unit: str = ""

    @property
    def type_name(self) -> str:
        """The type in words, for ``-explain`` and the reference pages."""
        raise NotImplementedError

    @property
    def part(self) -> str | None:
        """The kind of which the value is a registered type, with keys of its own below; None for a plain value."""
        return None

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        """All keys by which this parameter may be written, the preferred one first."""
        return [prefix + self.key for prefix in prefixes]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        """The typed value and its place (None if it is the default)."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """The value as it is written in an INI file."""
        raise NotImplementedError

    def written(self, value: Any) -> dict[str, str]:
        """All keys and texts from which the value is read again."""
        return {self.key: self.format(value)}

    def check(self, value: Any) -> None:
        """Raise :class:`ParameterError` for a value that no file could give, of a record that is made in Python."""

    def absent(self, keys: Keys, prefixes: Sequence[str]) -> Any:
        """The default, or the error that a required key is missing."""
        if self.default is REQUIRED:
            raise MissingKeyError(
                prefixes[0] + self.key,
                self.spelled(prefixes),
                place=keys.place,
                expected=f"{self.type_name} ({self.meaning})",
            )
        return self.default


def declare(declaration: Declaration) -> Any:
    """Declare a parameter whose class reads more than one key in a way of its own."""
    metadata = {"declaration": declaration}
    if declaration.default is REQUIRED:
        return field(metadata=metadata)
    if isinstance(declaration.default, dict):
        return field(default_factory=lambda: dict(declaration.default), metadata=metadata)
    return field(default=declaration.default, metadata=metadata)
