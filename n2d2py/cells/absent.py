"""Keys of N2D2 that a cell knows by name and cannot honour yet: using one is an error and never a silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py.errors import GraphError, Place
from n2d2py.parameters import Declaration, Keys, declare


@dataclass(frozen=True)
class _Absent(Declaration):
    """Each of ``keys`` raises :class:`GraphError` if it is given and not empty; nothing is known ``below``."""

    keys: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        return "not there yet"

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [prefix + key for prefix in prefixes for key in self.keys]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        for prefix in self.below:
            keys.claim(prefix, ())
        for spelled in self.spelled(prefixes):
            value = keys.find(spelled)
            if value is not None and value.text.strip():
                raise GraphError(
                    f"{spelled} is not there yet in n2d2py: {self.meaning}",
                    place=value.place,
                    remedy=f"remove {spelled}",
                )
        return (), None

    def format(self, value: Any) -> str:
        return ""


def absent(*keys: str, meaning: str, below: tuple[str, ...] = ()) -> Any:
    """Declare keys that are known and not there yet; ``meaning`` is what they do in N2D2.

    Keys that begin with one of ``below`` are unknown parameters wherever they stand.
    """
    return declare(_Absent(key=keys[0], default=(), meaning=meaning, keys=keys, below=below))
