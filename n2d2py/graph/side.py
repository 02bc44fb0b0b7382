"""``<cell>.cfg``: a file beside the run that overrides configuration parameters of one cell.

::

    # written by n2d2 -cfg
    NoBias = 1
    BackPropagate = 1

N2D2 writes such files with ``-cfg`` and reads those that it finds in the working directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from n2d2py import console
from n2d2py.errors import ParameterError, Place, nearest
from n2d2py.kinds import Value
from n2d2py.parameters import Keys

_SUFFIX = ".cfg"


def side_files() -> frozenset[str]:
    """Names of the cells that have a side file in the working directory."""
    try:
        return frozenset(name.removesuffix(_SUFFIX) for name in os.listdir() if name.endswith(_SUFFIX))
    except OSError:
        return frozenset()  # a working directory that was removed holds none


class SideKeys:
    """Keys of a cell's section, before which those of its side file come."""

    def __init__(self, cell: str, keys: Keys) -> None:
        self._keys = keys
        self._values = dict(_read(cell))
        self._asked: set[str] = set()
        if self._values:
            console.notice(f"{', '.join(self._values)} of cell {cell} come from {cell}{_SUFFIX}")

    @property
    def place(self) -> Place:
        """The place of the section."""
        return self._keys.place

    def find(self, *spellings: str) -> Value | None:
        """The value of the first spelling in the side file, else in the section."""
        self._asked.update(spellings)
        inside = self._keys.find(*spellings)
        return next((self._values[key] for key in spellings if key in self._values), inside)

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """As a section does."""
        self._keys.claim(prefix, known, missing)

    def holds(self, prefixes: Sequence[str]) -> bool:
        """Whether there is any key below one of the prefixes."""
        return any(key.startswith(tuple(prefixes)) for key in self._values) or self._keys.holds(prefixes)

    def unread(self) -> list[str]:
        """The keys of the side file, then those of the section, that nobody has asked for so far."""
        return [*(key for key in self._values if key not in self._asked), *self._keys.unread()]

    def close(self) -> None:
        """Raise :class:`ParameterError` for a key of the side file that nobody read."""
        for key, value in self._values.items():
            if key not in self._asked:
                match = nearest(key, self._asked)
                raise ParameterError(
                    f"unknown parameter {key}",
                    place=value.place,
                    remedy=f"did you mean {match}?" if match else f"remove it, or the file {value.place.file}",
                )


def _read(cell: str) -> list[tuple[str, Value]]:
    file = Path(f"{cell}{_SUFFIX}")
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        key, equals, text = (part.strip() for part in content.partition("="))
        place = Place(str(file), number, key=key)
        if not equals or not key:
            raise ParameterError(f"unreadable line {content!r}", place=place, expected="name = value")
        found.append((key, Value(text, place)))
    return found
