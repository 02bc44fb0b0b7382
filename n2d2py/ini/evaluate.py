"""The value of a property: references ``[S]P``, then variables ``${V}``, then expressions ``$( )``.

All three are worked out at each read and always for the section that reads: a variable inside a referenced
value is that of the reader. A text that is substituted is already evaluated and is not scanned again.
References may lead through any number of properties, one after the other: what is half worked out waits in a list,
and not on Python's stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from n2d2py.errors import IniError, Place, nearest
from n2d2py.ini.expressions import calculate
from n2d2py.ini.lookup import Lookup, Notes, Resolved

MAX_TEXT = 1_000_000
"""Longest evaluated text; a few lines of references to references could otherwise fill the memory."""

MAX_TEXTS = 20_000_000
"""Most characters of all the values that one reading leads through."""

MAX_NESTING = 100
"""Deepest nesting of expressions."""

LONGEST_NAME = 1000
"""Longest name of a section or a variable, so that brackets which never close cost no more than this each."""

_LONGEST_CHAIN = 12
_LONGEST_CIRCLE = 50
_LONGEST_KEPT = 200
_MOST_VARIABLES = 16

_BLANK = re.compile(r"\s")


class _Wanted(NamedTuple):
    """A property that a value needs; ``label`` is how the value calls it."""

    section: str
    key: str
    label: str


_Steps = Generator[_Wanted, Any, str]
"""The working out of a text: it asks for properties, is sent their values, and returns its own."""


class _Open:
    """A property that is being worked out.

    ``line`` tells how it came to be read; ``variables`` and ``chain`` become those of :class:`Resolved`.
    """

    def __init__(self, label: str, line: str, steps: _Steps) -> None:
        self.label = label
        self.line = line
        self.steps = steps
        self.variables: frozenset[str] | None = frozenset()
        self.chain: list[str] = []

    def depends_on(self, variables: frozenset[str] | None) -> None:
        """Add to the variables that the value depends on; None makes it one of this section alone."""
        if variables and self.variables is not None:
            variables |= self.variables
            self.variables = variables if len(variables) <= _MOST_VARIABLES else None
        elif variables is None:
            self.variables = None

    def read_through(self, lines: Sequence[str]) -> None:
        room = _LONGEST_CHAIN - len(self.chain)
        if room > 0:
            self.chain += [line for line in lines if line not in self.chain][:room]


class Evaluation:
    """One reading of one property.

    ``chain`` tells where the value was read through, ``notes`` what could not be resolved and was left as
    it is: a later "this is not an integer" can say why.
    """

    def __init__(self, lookup: Lookup, current: str, place: Place) -> None:
        self.lookup = lookup
        self.current = current
        self.place = place
        self.chain: Sequence[str] = ()
        self.notes = Notes()
        # Each property is worked out once a reading: chains of doublings stay linear.
        self._known: dict[tuple[str, str], Resolved] = {}
        self._length = 0
        self._open: dict[tuple[str, str], _Open] = {}

    def read(self, section: str, key: str) -> str:
        """The evaluated text of a property that exists."""
        found = self._asked(_Wanted(section, key, f"[{section}]{key}"))
        while self._open:
            steps = next(reversed(self._open.values())).steps
            try:
                wanted = steps.send(found.text if found is not None else None)
            except StopIteration as end:
                found = self._leave(end.value)
            else:
                found = self._asked(wanted)
        assert found is not None  # the last one that was left
        self.chain = found.chain
        return found.text

    def _asked(self, wanted: _Wanted) -> Resolved | None:
        """The value of a property; None if it is to be worked out first, and is now open."""
        name = (wanted.section, wanted.key)
        if name in self._open:
            labels = [opened.label for opened in self._open.values()][list(self._open).index(name) :]
            circle = " -> ".join(_cut([*labels, labels[0]], _LONGEST_CIRCLE))
            raise self._error(f"references go round in a circle: {circle}")
        line = self._line(wanted) if self._open else ""
        found = self._known.get(name) or self.lookup.resolved.get(name)
        if found is not None and self._is_true_here(found):
            self._give(line, found)
            return found
        raw = self.lookup.raw(wanted.section, wanted.key)
        assert raw is not None  # callers have looked
        self._open[name] = _Open(wanted.label, line, self._expanded(raw))
        return None

    def _line(self, wanted: _Wanted) -> str:
        place = self.lookup.place_of(wanted.section, wanted.key)
        where = f" ({place.file}:{place.line})" if place.line is not None else ""
        return f"read through {wanted.label}{where}"

    def _is_true_here(self, found: Resolved) -> bool:
        """Whether what was worked out for another section is the value for this one."""
        if not found.variables or not self.current:
            return True
        return all(self.lookup.raw(self.current, f"${name}") is None for name in found.variables)

    def _give(self, line: str, found: Resolved) -> None:
        """Tell the property that asked for another one what it was read through."""
        if self._open:
            asking = next(reversed(self._open.values()))
            asking.depends_on(found.variables)
            asking.read_through((line, *found.chain))

    def _leave(self, text: str) -> Resolved:
        """Close the property that was opened last, whose value is ``text``."""
        name, done = self._open.popitem()
        found = Resolved(text, done.variables, tuple(done.chain))
        self._length += len(text)
        if self._length > MAX_TEXTS:
            raise self._error(f"the values that this one leads through have more than {MAX_TEXTS} characters")
        self._known[name] = found
        if found.variables is not None and len(text) <= _LONGEST_KEPT:
            self.lookup.resolved[name] = found
        self._give(done.line, found)
        return found

    def _expanded(self, text: str) -> _Steps:
        # Most values hold none of the three.
        if "[" in text:
            text = yield from self._references(text)
        if "${" in text:
            text = yield from self._variables(text)
        if "$(" in text:
            text = self._expressions(text)
        return text

    def _depends_on(self, variables: frozenset[str] | None) -> None:
        next(reversed(self._open.values())).depends_on(variables)

    def _references(self, text: str) -> _Steps:
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
            parts.add((yield _Wanted(section, key, f"[{section}]{key}")))
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
        self._depends_on(None)

        def sentence() -> str:
            match = nearest(section, self.lookup.section_names())
            return f"there is no section [{section}]" + (f", did you mean [{match}]?" if match else "")

        if len(section) < 100:
            self.notes.add(sentence)

    def _variables(self, text: str) -> _Steps:
        parts = _Parts(self._error)
        done = 0
        close = -1
        while (start := text.find("${", done)) >= 0:
            if close < start:
                close = text.find("}", start)
            if close < 0:
                break
            name = text[start + 2 : min(close, start + 2 + LONGEST_NAME)]
            value = self.lookup.special(self.current, name)
            holder = self.lookup.variable(self.current, name) if value is None else None
            self._depends_on(frozenset((name,)) if holder is not None and not holder[0] else None)
            if holder is not None:
                value = yield _Wanted(*holder, f"${{{name}}}")
            if value is None:
                # Left as it is for consumers that know the environment; a variable may stand inside the name.
                self._note_variable(name)
                parts.add(text[done : start + 2])
                done = start + 2
                continue
            parts.add(text[done:start])
            parts.add(value)
            done = close + 1
        parts.add(text[done:])
        return parts.joined()

    def _note_variable(self, name: str) -> None:
        if len(name) < 100:
            remedy = f"a line ${name}=... before the first section gives it"
            self.notes.add(lambda: f"there is no variable ${{{name}}}: {remedy}")

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
        lines = [opened.line for opened in self._open.values() if opened.line]
        chain = (*self.place.chain, *_cut(lines, _LONGEST_CHAIN))
        place = Place(self.place.file, self.place.line, self.place.section, self.place.key, chain)
        return IniError(what, place=place, expected=expected, remedy=remedy or None)


class _Parts:
    """Pieces of a text whose total length is bounded."""

    def __init__(self, error: Callable[[str], IniError]) -> None:
        self._error = error
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        if not piece:
            return
        self._length += len(piece)
        if self._length > MAX_TEXT:
            raise self._error(f"the value is longer than {MAX_TEXT} characters")
        self._pieces.append(piece)

    def joined(self) -> str:
        return "".join(self._pieces)


def _cut(items: Sequence[str], most: int) -> Sequence[str]:
    """The items, or the first and last of them if there are more than fit into a message."""
    return items if len(items) <= most else [*items[: most // 2], "...", *items[-(most // 2) :]]


def shortened(text: str) -> str:
    """The text, cut to what fits into a message."""
    return text if len(text) <= 80 else f"{text[:77]}..."
