"""The grammar of an INI file: logical lines to sections and properties, those of templates in their place.

Values stay raw here; what they mean is worked out when they are read (``evaluate``). Not done on purpose: no
escapes, no structure in keys (a dot is a letter), no overriding headers with wildcards, no sections that are
opened a second time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from n2d2py import console
from n2d2py.errors import IniError, Place, nearest
from n2d2py.ini.document import Document
from n2d2py.ini.evaluate import LONGEST_NAME, shortened
from n2d2py.ini.headers import headers, inheritance_circle
from n2d2py.ini.inclusion import Opened, Templates, split
from n2d2py.ini.lines import Line, content, logical_lines
from n2d2py.ini.rendering import Rendered
from n2d2py.ini.section import Property, Section, merged
from n2d2py.ini.source import read_source

MAX_PROPERTIES = 2_000_000
"""Most properties of a document with the inherited ones: long chains of parents grow as their square."""

PARENT_SECTION = "$PARENT_SECTION_NAME"
"""Hidden property of the sections that a template gives: the section that includes it."""


def load(path: str | os.PathLike[str], *, strict: bool = False) -> Document:
    """The document of an INI file; raises :class:`IniError` where it is not one."""
    return loads(read_source(path), file=os.fspath(path), strict=strict)


def loads(text: str, file: str = "<text>", *, strict: bool = False) -> Document:
    """The document of the text of an INI file; ``file`` is how messages call it.

    >>> document = loads("[a]\\np=1 ; one\\n[b]a\\nq=$([a]p + 1)\\n")
    >>> document.sections["b"].properties
    {'p': '1', 'q': '$([a]p + 1)'}
    """
    document = Document(file, strict=strict)
    _Parser(document).parse(text, _Source(file))
    return document


class _Source(NamedTuple):
    """Where a text comes from: a file, or a template that a section of the document includes.

    For a template, ``rendered`` knows where each line was written, ``parent`` is the section that includes it, and
    ``opened`` are this template and those around it.
    """

    file: str
    rendered: Rendered | None = None
    parent: str | None = None
    opened: tuple[Opened, ...] = ()

    @property
    def chain(self) -> tuple[str, ...]:
        return self.opened[-1].chain if self.opened else ()

    def origin(self, line: int) -> tuple[str, int]:
        return (self.file, line) if self.rendered is None else self.rendered.origin(line)


class _Parser:
    """The state of reading one document: the text that is read, and the section that is open."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.templates = Templates(document)
        self.text = ""
        self.source = _Source(document.file)
        self.section = document.sections[""]
        self.template: str | None = None
        """The file that the open section includes, once all its properties are there."""
        self.size = 0
        self.merged: dict[tuple[str, ...], Mapping[str, Property]] = {}

    def parse(self, text: str, source: _Source) -> None:
        """Add the sections of a text to the document."""
        if "\0" in text:
            raise IniError("the text holds NUL characters", place=Place(source.file), expected="an INI file")
        around, self.text, self.source = (self.text, self.source), text, source
        self.section = self.document.sections[""]
        for line in logical_lines(text):
            self._line(line)
        self._include()
        self.text, self.source = around

    def _include(self) -> None:
        """Parse what the open section includes, if it does: its properties are complete."""
        if self.template is None:
            return
        section, file, opened = self.section, self.template, self.source.opened
        self.template = None
        rendered, fresh = self.templates.render(section, file, opened)
        self.parse(rendered.text, _Source(fresh.path, rendered, section.name, (*opened, fresh)))

    def _line(self, line: Line) -> None:
        try:
            text = content(line.text)
        except ValueError as error:
            raise IniError(
                f"Malformed property in section [{self.section.name}] in INI file {self.source.file}: {error}",
                place=self._place(line),
                expected='every " with a second one on the same line',
            ) from None
        if not text:
            return
        if not line.complete:
            console.warning(f"the last line ends in a backslash and nothing follows, at: {self._place(line)}")
        if text.startswith("[") and "]" in text:
            self._header(text, line)
        else:
            self._property(text, line)

    def _place(self, line: Line, section: str | None = None) -> Place:
        file, number = self.source.origin(line.number)
        return Place(file, number, self.section.name if section is None else section, chain=self.source.chain)

    # ------------------------------------------------------------------------------------------- headers

    def _header(self, text: str, line: Line) -> None:
        self._include()
        name, _, rest = text[1:].partition("]")
        place = self._place(line, name)
        included = split(name)
        if included is not None:
            name = included[0]
            place = self._place(line, name)
        self._check_name(name, place)
        names = tuple(dict.fromkeys(rest.split()))
        parents = [self._parent(parent, name, names, place) for parent in names]
        section = Section(name, place, parents, self._previous(), self._inherited(names, parents, place))
        if self.source.parent is not None:
            file, number = self.source.origin(line.number)
            section.define(PARENT_SECTION, self.source.parent, file, number, self.source.chain)
        self.document.sections[name] = section
        self.section = section
        self.template = included[1] if included is not None else None

    def _inherited(self, names: tuple[str, ...], parents: list[Section], place: Place) -> Mapping[str, Property]:
        """What the parents give; sections with the same parents share it."""
        if names not in self.merged:
            self.size += sum(len(parent) for parent in parents)
            if self.size > MAX_PROPERTIES:
                raise IniError(
                    f"the sections inherit more than {MAX_PROPERTIES} properties",
                    place=place,
                    remedy="inherit from a few base sections, not each section from the one before it",
                )
            self.merged[names] = merged(parents)
        return self.merged[names]

    def _check_name(self, name: str, place: Place) -> None:
        if len(name) > LONGEST_NAME:
            what = f"the name of a section has more than {LONGEST_NAME} characters: {shortened(name)}"
            raise IniError(what, place=Place(place.file, place.line, chain=place.chain))
        if not name:
            raise IniError(
                f"Section [] already exists in INI file {self.source.file}",
                place=place,
                expected="a name: the section without one is what stands before the first header",
            )
        existing = self.document.sections.get(name)
        if existing is not None:
            raise IniError(
                f"Section [{name}] already exists in INI file {self.source.file}",
                place=place,
                expected="one section of each name",
                remedy=f"the first one is at {existing.place}: rename one of them, or write all properties there",
            )
        if name != name.strip():
            console.warning(f"the name of section [{name}] begins or ends with a blank, at: {place}")

    def _parent(self, parent: str, name: str, names: tuple[str, ...], place: Place) -> Section:
        section = self.document.sections.get(parent)
        if section is not None and parent != name:
            return section
        below = headers(self.text)
        circle = inheritance_circle(name, {**below, name: names})
        match = nearest(parent, [known for known in self.document.sections if known])
        if circle:
            raise IniError(
                f"sections inherit from each other in a circle: {' -> '.join(circle)}",
                place=place,
                expected="names of sections that stand above this one",
                remedy="remove one of these parents",
            )
        if parent in below:
            remedy = f"[{parent}] stands below: move it above this section"
        elif "=" in parent:
            remedy = "after ']' stand the names of parents; a property begins on a line of its own, not with '['"
        else:
            remedy = f"did you mean {match}?" if match else "a parent stands above the section that inherits from it"
        raise IniError(
            f"Inherited section [{shortened(parent)}] does not exist for section [{name}] "
            f"in INI file {self.source.file}",
            place=place,
            expected="names of sections that stand above this one",
            remedy=remedy,
        )

    def _previous(self) -> str:
        last = next(reversed(self.document.sections.values()))
        return last.previous if last.name == self.source.parent else last.name

    # ---------------------------------------------------------------------------------------- properties

    def _property(self, text: str, line: Line) -> None:
        key, equals, value = text.partition("=")
        key, value = key.rstrip(), value.lstrip()
        if not equals:
            raise IniError(
                f"Missing value for property: {shortened(key)} in INI file {self.source.file}",
                place=self._place(line),
                expected="a line KEY=VALUE, or a header [NAME]",
                remedy=self._likely(key),
            )
        if len(key) > LONGEST_NAME:
            raise IniError(
                f"the name of a property has more than {LONGEST_NAME} characters: {shortened(key)}",
                place=self._place(line),
                expected="a line KEY=VALUE",
            )
        if not key:
            raise IniError(
                f"Missing name of a property before '=' in INI file {self.source.file}",
                place=self._place(line),
                expected="a line KEY=VALUE",
            )
        if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
            value = value[1:-1]
        file, number = self.source.origin(line.number)
        twice = self.section.owns(key)
        previous = self.section.define(key, value, file, number, self.source.chain)
        if previous is not None:
            self.document.resolved.clear()  # templates read values while the file is not read to its end
            what = (
                f'overriding property {key} (previous value was "{previous}") '
                f"in section [{self.section.name}] in INI file {self.source.file}"
            )
            if twice:
                console.warning(what)
            else:
                # N2D2's words, and yet nothing to mend: overriding is what inheritance is for.
                console.line(f"Warning: {what}")

    def _likely(self, key: str) -> str | None:
        """What a line that is no property most likely was to be."""
        if key.startswith("["):
            return "close the header with ']'"
        if key.startswith(("{%", "{{")):
            return "this is a template: a section [NAME@FILE] of an INI file includes it"
        if len(self.document.sections) > 1 or len(self.section) > 0:
            return None
        return "is this the right file? it does not begin like an INI file"
