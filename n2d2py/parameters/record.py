"""Records: frozen classes whose fields are declared parameters, read from keys and written as keys again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from n2d2py.errors import ParameterError, Place
from n2d2py.parameters.declaration import Declaration
from n2d2py.parameters.keys import Keys, MissingKeyError

_declared: dict[type, Mapping[str, Declaration]] = {}
_known: dict[tuple[type, str], tuple[str, ...]] = {}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is read from an INI file: frozen, typed, and knowing where each of its values came from."""

    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def place(self, name: str | None = None) -> Place | None:
        """The place of the value of field ``name``; without a value there, that of the section."""
        return self.places.get(name or "", self.places.get(""))


_Read = TypeVar("_Read", bound=Record)


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


def declarations(cls: type) -> Mapping[str, Declaration]:
    """The declarations of a class by field name, in the order of the class."""
    if cls not in _declared:
        fields = [item for item in dataclasses.fields(cls) if "declaration" in item.metadata]
        _declared[cls] = {item.name: item.metadata["declaration"] for item in fields}
    return _declared[cls]


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


def check(record: Record) -> None:
    """Raise :class:`ParameterError` for a value that no file could give: a record may have been made in Python."""
    known = declarations(type(record))
    for name, value in given(record).items():
        known[name].check(value)


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
