"""Where the parameters of one section are looked up, and what is left when all of them were read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple, Protocol

from n2d2py import console
from n2d2py.errors import ParameterError, Place, nearest
from n2d2py.ini.section import Section
from n2d2py.kinds import Value

_MOST_NAMES = 16


class Source(Protocol):
    """What a scope asks of its document."""

    file: str
    strict: bool
    sections: dict[str, Section]

    def value(self, section: str, key: str) -> Value | None: ...

    def evaluate(self, section: str, key: str, current: str) -> Value: ...

    def computed(self, section: str) -> Set[str]:
        """The keys of the properties that a run gave the section."""
        ...

    def first_warning(self, section: str, key: str) -> bool: ...


class _Claim(NamedTuple):
    prefix: str
    known: tuple[str, ...]
    missing: str | None


class Scope:
    """The section itself, then its configuration sections, of which a later one wins; see ``parameters.Keys``.

    A key of the section wins over any key of a configuration section; within each of the two, the first of
    several spellings wins (``WeightsSolver.LearningRate`` over ``Solvers.LearningRate``). Values of
    configuration sections are evaluated for the section itself: their ``${SECTION_NAME}`` is its name.
    """

    def __init__(self, document: Source, section: str, config_sections: Sequence[str] = ()) -> None:
        self._document = document
        self._section = document.sections[section]
        self._configs = [document.sections[name] for name in dict.fromkeys(config_sections)]
        self._given = frozenset().union(self._section, *self._configs)
        self._stems: frozenset[str] | None = None
        self._asked: set[str] = set()
        self._claims: list[_Claim] = []

    @property
    def place(self) -> Place:
        """The place of the section's header."""
        return self._section.place

    def find(self, *spellings: str) -> Value | None:
        """The value of the first spelling that exists; all the given spellings count as read."""
        self._asked.update(spellings)
        # Most parameters of a cell are not given.
        if self._given.isdisjoint(spellings) and self._document.computed(self._section.name).isdisjoint(spellings):
            return None
        for section in (self._section, *self._configs):
            section.keys_read.update(key for key in spellings if key in section)
        for key in spellings:
            if (value := self._document.value(self._section.name, key)) is not None:
                return value
        for key in spellings:
            for config in reversed(self._configs):
                if key in config:
                    return self._configured(config.name, key)
        return None

    def _configured(self, config: str, key: str) -> Value:
        value = self._document.evaluate(config, key, self._section.name)
        place = value.place
        chain = (*place.chain, f"configuration of [{self._section.name}]")
        return Value(value.text, Place(place.file, place.line, place.section, place.key, chain), value.notes)

    def listed(self, prefix: str) -> list[str]:
        """The keys that begin with ``prefix``, in the order of the section and then of its configuration sections."""
        sections = (self._section, *self._configs)
        keys = dict.fromkeys(key for section in sections for key in section)
        return [key for key in keys if key.startswith(prefix)]

    def holds(self, prefixes: Sequence[str]) -> bool:
        """Whether there is any key below one of the prefixes, which end in a dot."""
        if self._stems is None:
            given = (*self._given, *self._document.computed(self._section.name))
            self._stems = frozenset(
                key[: place + 1] for key in given for place, letter in enumerate(key) if letter == "."
            )
        return not self._stems.isdisjoint(prefixes)

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """Keys below ``prefix`` belong to a type whose keys are ``known``: an unread one is an error.

        ``missing`` is the key without which none of them has an effect, if it is not there.
        """
        self._claims.append(_Claim(prefix, tuple(known), missing))

    def unread(self) -> list[str]:
        """The keys of the section, then of its configuration sections, that nobody has asked for so far."""
        sections = (self._section, *self._configs)
        return [key for section in sections for key in section if self._is_unread(section, key)]

    def _is_unread(self, section: Section, key: str) -> bool:
        return key not in self._asked and key not in section.keys_read and not key.startswith("$")

    def close(self, strict: bool = False) -> list[str]:
        """Answer for every key that nobody read; returns those that were only warned of.

        A key below a claimed prefix or in a configuration section is a :class:`ParameterError`. Any other key
        of the section is one too if ``strict``, or if the document is strict, and else a warning: once for
        each line of the file, however many sections inherit it. So is a key without effect because the key
        that names its type is missing. Keys that begin with ``$`` are variables and always known.
        """
        for config in self._configs:
            for key in config:
                if key not in self._asked and not key.startswith("$"):
                    raise self._unknown(config, key)
        warned = []
        for key in self._section:
            if not self._is_unread(self._section, key):
                continue
            claim = self._claimed(key)
            only_missing = claim is not None and claim.missing is not None
            if self._document.strict or (not only_missing and (strict or claim is not None)):
                raise self._unknown(self._section, key)
            warned.append(key)
            if self._document.first_warning(self._section.name, key):
                error = self._unknown(self._section, key)
                hint = f" ({error.remedy})" if error.remedy else ""
                console.warning(f"{error.what}{hint}, at: {error.place}")
        return warned

    def _claimed(self, key: str) -> _Claim | None:
        """The claim with the longest prefix; one of a type that is there comes before one of a missing type."""
        claims = [claim for claim in self._claims if key.startswith(claim.prefix)]
        return max(claims, key=lambda claim: (len(claim.prefix), claim.missing is None), default=None)

    def _unknown(self, section: Section, key: str) -> ParameterError:
        place = section.place_of(key)
        if section is not self._section:
            chain = (*place.chain, f"configuration of [{self._section.name}]")
            place = Place(place.file, place.line, place.section, place.key, chain)
        claim = self._claimed(key)
        if claim is not None and claim.missing is not None:
            return ParameterError(
                f"parameter {key} has no effect without {claim.missing}",
                place=place,
                remedy=f"add {claim.missing}=, or remove {key}",
            )
        return ParameterError(f"unknown parameter {key}", place=place, remedy=self._remedy(key, claim))

    def _remedy(self, key: str, claim: _Claim | None) -> str:
        if claim is None:
            claimed = {other.prefix + name for other in self._claims for name in other.known}
            match = nearest(key, sorted(self._asked | claimed))
            return f"did you mean {match}?" if match else "remove it, or check its spelling"
        # Without the prefix: what all of them share is no likeness.
        below = {name for other in self._claims if other.prefix == claim.prefix for name in other.known}
        match = nearest(key.removeprefix(claim.prefix), below)
        if match is not None:
            return f"did you mean {claim.prefix}{match}?"
        listed = sorted(claim.prefix + name for name in below)[:_MOST_NAMES]
        return f"known: {', '.join(listed)}" if listed else f"remove it: nothing is read below {claim.prefix}"
