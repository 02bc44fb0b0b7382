"""The value of a property: references ``[S]P``, then variables ``${V}``, then expressions ``$( )``.

All three are worked out at each read and always for the section that reads: a variable inside a referenced
value is that of the reader. A text that is substituted is already evaluated and is not scanned again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from n2d2py.errors import IniError, Place, nearest
from n2d2py.ini.expressions import calculate

MAX_TEXT = 1_000_000
"""Longest evaluated text; a few lines of references to references could otherwise fill the memory."""

MAX_NESTING = 100
LONGEST_NAME = 1000
"""Longest name of a section or a variable, so that brackets which never close cost no more than this each."""

_LONGEST_CHAIN = 12
_MOST_NOTES = 3

_BLANK = re.compile(r"\s")


class Lookup(Protocol):
    """What evaluation asks of a document."""

    def has_section(self, section: str) -> bool: ...

    def section_names(self) -> list[str]: ...

    def keys(self, section: str) -> list[str]: ...

    def raw(self, section: str, key: str) -> str | None:
        """The unevaluated text of a property (a computed one as it is); None if there is none."""
        ...

    def place_of(self, section: str, key: str) -> Place: ...

    def variable(self, current: str, name: str) -> tuple[str, str] | None:
        """Section and key that hold a variable for the section that reads."""
        ...

    def special(self, current: str, name: str) -> str | None:
        """The value of ``SECTION_NAME`` and ``PREV_SECTION_NAME``."""
        ...


class Evaluation:
    """One reading of one property.

    ``chain`` collects where the value was read through, ``notes`` what could not be resolved and was left as
    it is: a later "this is not an integer" can say why.
    """

    def __init__(self, lookup: Lookup, current: str, place: Place) -> None:
        self.lookup = lookup
        self.current = current
        self.place = place
        self.chain: list[str] = []
        self.notes: list[str] = []
        # Each property is worked out once a reading: chains of doublings stay linear.
        self._known: dict[tuple[str, str], str] = {}
        self._open: dict[tuple[str, str], str] = {}

    def read(self, section: str, key: str) -> str:
        """The evaluated text of a property that exists."""
        return self._property(section, key, f"[{section}]{key}")

    def _property(self, section: str, key: str, label: str) -> str:
        if (section, key) in self._known:
            return self._known[section, key]
        raw = self.lookup.raw(section, key)
        assert raw is not None  # callers have looked
        with self._entered(section, key, label):
            text = self._expand(raw)
        self._known[section, key] = text
        return text

    @contextmanager
    def _entered(self, section: str, key: str, label: str) -> Iterator[None]:
        if (section, key) in self._open:
            labels = list(self._open.values())
            circle = labels[list(self._open).index((section, key)) :]
            raise self._error(f"references go round in a circle: {' -> '.join([*circle, circle[0]])}")
        if len(self._open) >= MAX_NESTING:
            raise self._error(f"references are nested more than {MAX_NESTING} deep")
        self._open[section, key] = label
        yield
        del self._open[section, key]

    def _through(self, section: str, key: str, label: str) -> str:
        """The value of another property, which becomes part of the chain."""
        if (section, key) not in self._known and len(self.chain) < _LONGEST_CHAIN:
            place = self.lookup.place_of(section, key)
            where = f" ({place.file}:{place.line})" if place.line is not None else ""
            self.chain.append(f"read through {label}{where}")
        return self._property(section, key, label)

    def _expand(self, text: str) -> str:
        # Most values hold none of the three.
        if "[" in text:
            text = self._references(text)
        if "${" in text:
            text = self._variables(text)
        if "$(" in text:
            text = self._expressions(text)
        return text

    def _references(self, text: str) -> str:
        parts = _Parts(self._error)
        done = 0
        close = -1
        while (start := text.find("[", done)) >= 0:
            if close < start:
                close = text.find("]", start)
            if close < 0:
                raise self._error(
                    f"'[' without ']' in {shortened(text)}", expected="a reference [section]key, or no bracket"
                )
            section = text[start + 1 : min(close, start + LONGEST_NAME)]
            if not self.lookup.has_section(section):
                self._note_section(section)
                parts.add(text[done : start + 1])
                done = start + 1
                continue
            blank = _BLANK.search(text, close + 1)
            end = blank.start() if blank else len(text)
            key = text[close + 1 : end]
            if self.lookup.raw(section, key) is None:
                raise self._missing(section, key)
            parts.add(text[done:start])
            parts.add(self._through(section, key, f"[{section}]{key}"))
            done = end
        parts.add(text[done:])
        return parts.joined()

    def _missing(self, section: str, key: str) -> IniError:
        keys = self.lookup.keys(section)
        name = re.match(r"\w*", key)
        if name is not None and name.group() in keys:
            remedy = f"a reference extends to the next blank: put one after [{section}]{name.group()}"
        else:
            match = nearest(key, keys)
            remedy = f"did you mean [{section}]{match}?" if match else ""
        return self._error(f"Property {shortened(key)} not found in section [{section}]", remedy=remedy)

    def _note_section(self, section: str) -> None:
        if len(section) < 100 and len(self.notes) < _MOST_NOTES:
            match = nearest(section, self.lookup.section_names())
            self.notes.append(f"there is no section [{section}]" + (f", did you mean [{match}]?" if match else ""))

    def _variables(self, text: str) -> str:
        parts = _Parts(self._error)
        done = 0
        close = -1
        while (start := text.find("${", done)) >= 0:
            if close < start:
                close = text.find("}", start)
            if close < 0:
                break
            value = self._variable(text[start + 2 : min(close, start + 2 + LONGEST_NAME)])
            if value is None:
                # Left as it is for consumers that know the environment; a variable may stand inside the name.
                parts.add(text[done : start + 2])
                done = start + 2
                continue
            parts.add(text[done:start])
            parts.add(value)
            done = close + 1
        parts.add(text[done:])
        return parts.joined()

    def _variable(self, name: str) -> str | None:
        special = self.lookup.special(self.current, name)
        if special is not None:
            return special
        holder = self.lookup.variable(self.current, name)
        if holder is not None:
            return self._through(*holder, f"${{{name}}}")
        if len(name) < 100 and len(self.notes) < _MOST_NOTES:
            self.notes.append(f"there is no variable ${{{name}}}: a line ${name}=... before the first section gives it")
        return None

    def _expressions(self, text: str) -> str:
        """Replace each ``$( )`` by its value, the inner ones first."""
        # Texts of the expressions that are open, outermost first; the last one is being collected.
        collected: list[_Parts] = [_Parts(self._error)]
        # For each open parenthesis, whether it is one of "$(".
        open_kinds: list[bool] = []
        done = 0
        for match in re.finditer(r"\$\(|\(|\)", text):
            token = match.group()
            inside = len(collected) > 1
            collected[-1].add(text[done : match.start()])
            done = match.end()
            if token == "$(":
                if len(collected) > MAX_NESTING:
                    raise self._error(f"expressions are nested more than {MAX_NESTING} deep")
                collected.append(_Parts(self._error))
                open_kinds.append(True)
            elif inside and token == "(":
                collected[-1].add(token)
                open_kinds.append(False)
            elif inside and open_kinds.pop():
                value = self._calculated(collected.pop().joined())
                collected[-1].add(value)
            else:
                collected[-1].add(token)
        if len(collected) > 1:
            raise self._error(f"$( is not closed in {shortened(text)}", expected="as many ) as (")
        collected[0].add(text[done:])
        return collected[0].joined()

    def _calculated(self, expression: str) -> str:
        try:
            return calculate(expression)
        except ValueError as error:
            raise self._error(
                f"cannot work out $({shortened(expression)}): {error}",
                expected="arithmetic with + - * / // % **, comparisons, and, or, not, a if c else b, "
                "int() float() max() min() round() abs()",
                remedy="; ".join(self.notes),
            ) from None

    def _error(self, what: str, *, expected: str | None = None, remedy: str = "") -> IniError:
        place = Place(
            self.place.file, self.place.line, self.place.section, self.place.key, (*self.place.chain, *self.chain)
        )
        return IniError(what, place=place, expected=expected, remedy=remedy or None)


class _Parts:
    """Pieces of a text whose total length is bounded."""

    def __init__(self, error: Callable[[str], IniError]) -> None:
        self._error = error
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        if self._length > MAX_TEXT:
            raise self._error(f"the value is longer than {MAX_TEXT} characters")
        self._pieces.append(piece)

    def joined(self) -> str:
        return "".join(self._pieces)


def shortened(text: str) -> str:
    """The text, cut to what fits into a message."""
    return text if len(text) <= 80 else f"{text[:77]}..."
