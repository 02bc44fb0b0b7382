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
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from n2d2py import registry
from n2d2py.errors import ParameterError, Place, nearest
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

    def written(self, value: Any) -> dict[str, str]:
        below = {} if value is None else written(value)
        return {self.key: self.format(value), **{f"{self.key}.{key}": text for key, text in below.items()}}


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


_declared: dict[type, Mapping[str, Declaration]] = {}
_known: dict[tuple[type, str], tuple[str, ...]] = {}


def declarations(cls: type) -> Mapping[str, Declaration]:
    """The declarations of a class by field name, in the order of the class."""
    if cls not in _declared:
        fields = [item for item in dataclasses.fields(cls) if "declaration" in item.metadata]
        _declared[cls] = {item.name: item.metadata["declaration"] for item in fields}
    return _declared[cls]


def _unwritten(entry: Any, place: Place) -> Any:
    """A part of which no key is given: its defaults, at the place of the section that does not name it."""
    if (entry, place) != _last_unwritten[:2]:
        _last_unwritten[:] = entry, place, entry(places={"": place})
    return _last_unwritten[2]


_last_unwritten: list[Any] = [None, None, None]
"""The solvers of one cell are read one after the other: they share what is not written."""


def known_keys(cls: type, prefix: str = "") -> Sequence[str]:
    """All keys by which parameters of a class may be written."""
    if (cls, prefix) not in _known:
        each = (declaration.spelled([prefix]) for declaration in declarations(cls).values())
        _known[cls, prefix] = tuple(key for spelled in each for key in spelled)
    return _known[cls, prefix]


def given(record: Record) -> dict[str, Any]:
    """The values of the declared parameters that are not their default, by field name."""
    fields = {item.name: item for item in dataclasses.fields(record)}
    values = {name: getattr(record, name) for name in declarations(type(record))}
    return {name: value for name, value in values.items() if value != _default(fields[name])}


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def written(record: Record) -> dict[str, str]:
    """The keys and texts from which a record is read again; those of defaults are left out."""
    known = declarations(type(record))
    return {key: text for name, value in given(record).items() for key, text in known[name].written(value).items()}


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
    missing: MissingKeyError | None = None
    for name, declaration in declarations(cls).items():
        try:
            values[name], place = declaration.read(keys, prefixes)
        except MissingKeyError as error:
            # The other keys first: what is left then may be this one, misspelt.
            missing = missing or error
            continue
        if place is not None:
            places[name] = place
    if missing is not None:
        missing.look_among(keys.unread())
        raise missing
    return cls(**given, **values, places=places)
