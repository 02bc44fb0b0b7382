"""A parameter is declared once, in the class that uses it, and everything else follows from the declaration.

::

    @register("activation", "Rectifier")
    @dataclass(frozen=True, kw_only=True)
    class Rectifier(Record):
        leak_slope: float = parameter("LeakSlope", real, 0.0, "slope for negative inputs")

From it come reading (:func:`read`), checking, "did you mean", ``-explain`` and the reference pages. No other
place looks up a key by its name. Four forms of declaration exist: :func:`parameter` (one key),
:func:`axes` (one number per axis, with N2D2's three ways of writing it), :func:`choice` (the name of a
registered type, with the parameters of that type below a prefix), and a class of one's own that derives from
:class:`Declaration`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from n2d2py import registry
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, Value, list_of


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

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        """All keys by which this parameter may be written, the preferred one first."""
        return [prefix + self.key for prefix in prefixes]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        """The typed value and its place (None if it is the default)."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """The value as it is written in an INI file."""
        raise NotImplementedError

    def absent(self, keys: Keys, prefixes: Sequence[str]) -> Any:
        """The default, or the error that a required key is missing."""
        if self.default is REQUIRED:
            raise ParameterError(
                f"missing key {prefixes[0]}{self.key}",
                place=keys.place,
                expected=f"{self.type_name} ({self.meaning})",
            )
        return self.default


@dataclass(frozen=True)
class _Single(Declaration):
    kind: Kind = None  # type: ignore[assignment]  # always given by parameter()
    spellings: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        return self.kind.name

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [prefix + key for prefix in prefixes for key in (self.key, *self.spellings)]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        value = keys.find(*self.spelled(prefixes))
        if value is None:
            return self.absent(keys, prefixes), None
        return self.kind.read(value), value.place

    def format(self, value: Any) -> str:
        return self.kind.format(value)


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
                    raise ParameterError(
                        f"missing key {prefixes[0]}{key}",
                        place=keys.place,
                        expected=f"{self.kind.name}, beside {given[0].place.key}",
                    )
                values.append(self.default[len(values)])
        return tuple(values), given[0].place

    def _unnamed(self) -> Any:
        return 1 if self.default is REQUIRED else self.default[0]

    def format(self, value: Any) -> str:
        return " ".join(self.kind.format(item) for item in value)


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
        return f"a {self.kind}: {', '.join(registry.names(self.kind))}"

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
        return read(entry, keys, below), place

    def format(self, value: Any) -> str:
        return "" if value is None else registry.name_of(self.kind, type(value))


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
    return _field(_Single(key=key, default=default, meaning=meaning, unit=unit, kind=kind, spellings=spellings))


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
    return _field(
        _Axes(
            key=dims_key, default=absent, meaning=meaning, unit=unit, kind=kind, size_key=size_key, axis_keys=axis_keys
        )
    )


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
    return _field(
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


def declare(declaration: Declaration) -> Any:
    """Declare a parameter whose class reads more than one key in a way of its own."""
    return _field(declaration)


def _field(declaration: Declaration) -> Any:
    metadata = {"declaration": declaration}
    if declaration.default is REQUIRED:
        return field(metadata=metadata)
    if isinstance(declaration.default, dict):
        return field(default_factory=lambda: dict(declaration.default), metadata=metadata)
    return field(default=declaration.default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is read from an INI file: frozen, typed, and knowing where each of its values came from."""

    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def place(self, name: str | None = None) -> Place | None:
        """The place of the value of field ``name``; without a value there, that of the section."""
        return self.places.get(name or "", self.places.get(""))


_Read = TypeVar("_Read", bound=Record)


def declarations(cls: type) -> dict[str, Declaration]:
    """The declarations of a class by field name, in the order of the class."""
    return {
        item.name: item.metadata["declaration"] for item in dataclasses.fields(cls) if "declaration" in item.metadata
    }


def known_keys(cls: type, prefix: str = "") -> list[str]:
    """All keys by which parameters of a class may be written."""
    return [key for declaration in declarations(cls).values() for key in declaration.spelled([prefix])]


def check_available(record: Record, *names: str) -> None:
    """Raise :class:`ParameterError` if a field of ``names`` is not its default: it would have no effect."""
    defaults = {item.name: item.default for item in dataclasses.fields(record)}
    for name in names:
        declaration, value = declarations(type(record))[name], getattr(record, name)
        if value != defaults[name]:
            usual = declaration.format(defaults[name])
            raise ParameterError(
                f"{declaration.key}={declaration.format(value)} is not available in this version of n2d2py: "
                f"{declaration.meaning}",
                place=record.place(name),
                expected=f"{declaration.key}={usual}" if usual else f"no {declaration.key}",
            )


def read(cls: type[_Read], keys: Keys, prefixes: Sequence[str] = ("",), **given: Any) -> _Read:
    """A record of ``cls`` with each declared parameter read from ``keys`` below one of ``prefixes``.

    ``given`` are the fields that are not parameters (a cell's name). Raises :class:`ParameterError` for a
    value of the wrong type or a required key that is missing. Keys that are left over are the caller's.
    """
    values: dict[str, Any] = {}
    places: dict[str, Place] = {"": keys.place}
    for name, declaration in declarations(cls).items():
        values[name], place = declaration.read(keys, prefixes)
        if place is not None:
            places[name] = place
    return cls(**given, **values, places=places)
