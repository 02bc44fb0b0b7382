"""Parameters that are values: of one key, or a number for each axis."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, list_of
from n2d2py.parameters.declaration import REQUIRED, Declaration, declare
from n2d2py.parameters.keys import Keys, MissingKeyError


def parameter(
    key: str,
    kind: Kind,
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    spellings: tuple[str, ...] = (),
) -> Any:
    """Declare a parameter that one key gives. ``spellings`` are other keys that mean the same."""
    return declare(_Single(key=key, default=default, meaning=meaning, unit=unit, kind=kind, spellings=spellings))


def axes(
    dims_key: str,
    size_key: str,
    axis_keys: tuple[str, ...],
    kind: Kind,
    default: Any,
    meaning: str,
    *,
    unit: str = "",
) -> Any:
    """Declare a tuple (x, y[, z]) that is written as ``StrideDims=2 1``, ``Stride=2`` or ``StrideX=2``.

    ``default`` is :data:`REQUIRED` or the value of each axis that is not given.
    """
    absent = default if default is REQUIRED else (default, default)
    return declare(
        _Axes(
            key=dims_key, default=absent, meaning=meaning, unit=unit, kind=kind, size_key=size_key, axis_keys=axis_keys
        )
    )


@functools.cache
def _below(prefixes: tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(prefix + key for prefix in prefixes for key in keys)


@dataclass(frozen=True)
class _Single(Declaration):
    kind: Kind = None  # type: ignore[assignment]  # always given by parameter()
    spellings: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        return self.kind.name

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return list(_below(tuple(prefixes), (self.key, *self.spellings)))

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        # A network of many cells asks for the same keys again and again.
        value = keys.find(*_below(tuple(prefixes), (self.key, *self.spellings)))
        if value is None:
            return self.absent(keys, prefixes), None
        return self.kind.read(value), value.place

    def format(self, value: Any) -> str:
        return self.kind.format(value)

    def check(self, value: Any) -> None:
        try:
            same = self.kind.parse(self.format(value), Place(key=self.key)) == value
        except (TypeError, ValueError, AttributeError):
            same = False
        if not same:
            raise ParameterError(f"{self.key}={value!r} is no value that it can have", expected=self.kind.name)


@dataclass(frozen=True)
class _Axes(Declaration):
    kind: Kind = None  # type: ignore[assignment]  # always given by axes()
    size_key: str = ""
    axis_keys: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        return f"{self.kind.name} for each axis (X Y [Z])"

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [prefix + key for prefix in prefixes for key in (self.key, self.size_key, *self.axis_keys)]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        dims = keys.find(*(prefix + self.key for prefix in prefixes))
        if dims is not None:
            values = list_of(self.kind).read(dims)
            if not 1 <= len(values) <= len(self.axis_keys):
                raise ParameterError(
                    f"{dims.place.key} has {len(values)} values",
                    place=dims.place,
                    expected=f"1 to {len(self.axis_keys)} values separated by blanks, each {self.kind.name}",
                )
            # One value v is v x 1 to N2D2: an axis that is not named has size 1.
            return (values if len(values) > 1 else (*values, self._unnamed())), dims.place
        size = keys.find(*(prefix + self.size_key for prefix in prefixes))
        if size is not None:
            return (self.kind.read(size),) * 2, size.place
        found = [keys.find(*(prefix + key for prefix in prefixes)) for key in self.axis_keys]
        given = [value for value in found if value is not None]
        if not given:
            return self.absent(keys, prefixes), None
        values = []
        for key, value in zip(self.axis_keys, found, strict=True):
            if value is not None:
                values.append(self.kind.read(value))
            elif len(values) < 2:
                if self.default is REQUIRED:
                    raise MissingKeyError(
                        prefixes[0] + key,
                        [prefix + key for prefix in prefixes],
                        place=keys.place,
                        expected=f"{self.kind.name}, beside {given[0].place.key}",
                    )
                values.append(self.default[len(values)])
        return tuple(values), given[0].place

    def _unnamed(self) -> Any:
        return 1 if self.default is REQUIRED else self.default[0]

    def format(self, value: Any) -> str:
        return " ".join(self.kind.format(item) for item in value)
