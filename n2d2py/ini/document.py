"""A document: all sections of an INI file, and the properties that a run computes."""

from __future__ import annotations

from collections.abc import Callable, Set

from n2d2py.errors import IniError, Place, did_you_mean
from n2d2py.ini.evaluate import Evaluation
from n2d2py.ini.lookup import Resolved
from n2d2py.ini.scope import Scope
from n2d2py.ini.section import Section
from n2d2py.kinds import Value

Computed = str | int | float
"""A property that the run computes, such as ``_EpochSize``."""


_NO_KEYS: Set[str] = frozenset()


class Document:
    """The sections of an INI file in its order; the global section, named ``""``, is the first.

    Values are evaluated at each read, so that a property may refer to what a run publishes later.
    ``strict`` makes an error of an unknown key where N2D2 ignores it and n2d2py warns.
    """

    def __init__(self, file: str, *, strict: bool = False) -> None:
        self.file = file
        self.strict = strict
        self.sections: dict[str, Section] = {"": Section("", Place(file, section=""))}
        self._published: dict[str, dict[str, Computed | Callable[[], Computed]]] = {}
        self._computing: list[tuple[str, str]] = []
        self._warned: set[tuple[str, int, str]] = set()
        self.resolved: dict[tuple[str, str], Resolved] = {}

    def __repr__(self) -> str:
        return f"Document({self.file!r}, {len(self.sections)} sections)"

    # ------------------------------------------------------------------------------------------- reading

    def value(self, section: str, key: str) -> Value | None:
        """The evaluated value of a property, which counts as read; None if there is no such property or section.

        Raises :class:`IniError` where a reference or an expression in it is wrong.
        """
        found = self.sections.get(section)
        if found is None or self.raw(section, key) is None:
            return None
        found.keys_read.add(key)
        return self.evaluate(section, key, section)

    def evaluate(self, section: str, key: str, current: str) -> Value:
        """The value of a property that exists, as the section ``current`` sees it; does not count as reading."""
        place = self.place_of(section, key)
        raw = self.raw(section, key)
        if raw is not None and "[" not in raw and "$" not in raw:  # most values are what is written
            return Value(raw, place)
        evaluation = Evaluation(self, current, place)
        text = evaluation.read(section, key)
        if evaluation.chain:
            place = Place(place.file, place.line, place.section, place.key, (*place.chain, *evaluation.chain))
        return Value(text, place, evaluation.notes if evaluation.notes else ())

    def scope(self, section: str, *config_sections: str) -> Scope:
        """Where the parameters of ``section`` are looked up: in itself, then in its configuration sections.

        Of several configuration sections the later one wins. Raises :class:`IniError` if one does not exist.
        """
        for name in (section, *config_sections):
            if name not in self.sections:
                place = self.sections[section].place if section in self.sections else Place(self.file)
                raise IniError(
                    f"there is no section [{name}] in INI file {self.file}",
                    place=place,
                    remedy=did_you_mean(name, [known for known in self.sections if known]),
                )
        return Scope(self, section, config_sections)

    # ----------------------------------------------------------------------------------- what a run says

    def publish(self, section: str, key: str, value: Computed | Callable[[], Computed]) -> None:
        """Give a section a computed property, readable from then on as ``[section]key``.

        A callable is called once, at the first read. The section must exist.
        """
        if section not in self.sections:
            raise KeyError(f"[{section}] cannot have {key}: there is no such section")
        if self._has(section, key):
            self.resolved.clear()  # what was read before may be another value now
        self._published.setdefault(section, {})[key] = value

    def computed(self, section: str) -> Set[str]:
        """The keys of the computed properties of a section."""
        return self._published[section].keys() if section in self._published else _NO_KEYS

    def unused(self) -> list[str]:
        """Names of the sections of which nothing was read directly, in file order.

        The global section is one of them only if it has properties.
        """
        return [name for name, section in self.sections.items() if not section.keys_read and (name or len(section) > 0)]

    def first_warning(self, section: str, key: str) -> bool:
        """Whether the text of a property, which several sections may inherit, was not warned of before."""
        origin = (*self.sections[section].origin(key), key)
        if origin in self._warned:
            return False
        self._warned.add(origin)
        return True

    # ------------------------------------------------------------------------- what evaluation asks for

    def has_section(self, section: str) -> bool:
        return section in self.sections

    def section_names(self) -> list[str]:
        return [name for name in self.sections if name]

    def keys(self, section: str) -> list[str]:
        """All keys of a section, the computed ones too."""
        return [*self.sections[section], *self._published.get(section, ())]

    def raw(self, section: str, key: str) -> str | None:
        """The text of a property before evaluation; a computed one comes before a written one."""
        if key in self._published.get(section, ()):
            return self._computed(section, key)
        entry = self.sections[section].get(key)
        return entry.text if entry is not None else None

    def place_of(self, section: str, key: str) -> Place:
        found = self.sections[section]
        if key in found and key not in self._published.get(section, ()):
            return found.place_of(key)
        return Place(found.place.file, found.place.line, section, key, (*found.place.chain, "computed by the run"))

    def variable(self, current: str, name: str) -> tuple[str, str] | None:
        key = f"${name}"
        for section in (current, ""):
            if self.raw(section, key) is not None:
                # The only use that a section of nothing but variables can have.
                self.sections[section].keys_read.add(key)
                return section, key
        return None

    def special(self, current: str, name: str) -> str | None:
        if name == "SECTION_NAME":
            return current
        if name == "PREV_SECTION_NAME":
            return self.sections[current].previous
        return None

    def _has(self, section: str, key: str) -> bool:
        return key in self.sections[section] or key in self._published.get(section, ())

    def _computed(self, section: str, key: str) -> str:
        value = self._published[section][key]
        if callable(value):
            if (section, key) in self._computing:
                circle = [f"[{name}]{computed}" for name, computed in [*self._computing, (section, key)]]
                raise IniError(
                    f"computed properties go round in a circle: {' -> '.join(circle)}",
                    place=Place(self.file, section=section, key=key),
                )
            self._computing.append((section, key))
            try:
                value = self._published[section][key] = value()
            finally:
                self._computing.pop()
        return str(int(value)) if isinstance(value, bool) else str(value)
