"""The grammar of an INI file: logical lines to sections and properties.

Values stay raw here; what they mean is worked out when they are read (``evaluate``). Not done on purpose: no
escapes, no structure in keys (a dot is a letter), no overriding headers with wildcards, no sections that are
opened a second time.
"""

from __future__ import annotations

import os

from n2d2py import console
from n2d2py.errors import IniError, Place, nearest
from n2d2py.ini.document import Document
from n2d2py.ini.evaluate import LONGEST_NAME, shortened
from n2d2py.ini.lines import Line, content, logical_lines
from n2d2py.ini.section import Section
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
    parse(document, text, file)
    return document


def parse(document: Document, text: str, file: str, *, parent: str | None = None, chain: tuple[str, ...] = ()) -> None:
    """Add the sections of a text to a document.

    ``parent`` and ``chain`` are for a text that a section of the document gives: sections are tagged with the
    name of that section, and their places lead back to it.
    """
    _Parser(document, file, parent, chain).parse(text)


class _Parser:
    """The state of reading one text: the section that is open."""

    def __init__(self, document: Document, file: str, parent: str | None, chain: tuple[str, ...]) -> None:
        self.document = document
        self.file = file
        self.parent = parent
        self.chain = chain
        self.section = document.sections[""]
        self.size = sum(len(section) for section in document.sections.values())

    def parse(self, text: str) -> None:
        if "\0" in text:
            raise IniError("the text holds NUL characters", place=Place(self.file), expected="an INI file")
        for line in logical_lines(text):
            self._line(line)

    def _line(self, line: Line) -> None:
        try:
            text = content(line.text)
        except ValueError as error:
            raise IniError(
                f"Malformed property in section [{self.section.name}] in INI file {self.file}: {error}",
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

    def _place(self, line: Line, section: str | None = None, key: str | None = None) -> Place:
        return Place(self.file, line.number, self.section.name if section is None else section, key, self.chain)

    # ------------------------------------------------------------------------------------------- headers

    def _header(self, text: str, line: Line) -> None:
        name, _, rest = text[1:].partition("]")
        place = self._place(line, name)
        self._check_name(name, place)
        parents = [self._parent(parent, name, place) for parent in rest.split()]
        self.size += sum(len(parent) for parent in parents)
        if self.size > MAX_PROPERTIES:
            raise IniError(
                f"the sections inherit more than {MAX_PROPERTIES} properties",
                place=place,
                remedy="inherit from a few base sections, not each section from the one before it",
            )
        section = Section(name, place, parents, self._previous())
        if self.parent is not None:
            section.define(PARENT_SECTION, self.parent, self.file, line.number)
        self.document.sections[name] = section
        self.section = section

    def _check_name(self, name: str, place: Place) -> None:
        if len([part for part in name.split("@") if part]) == 2:
            raise IniError(
                f"[{name}] includes a template: templates are not there yet",
                place=place,
                remedy="write the sections of the template into this file",
            )
        if len(name) > LONGEST_NAME:
            raise IniError(f"the name of a section has more than {LONGEST_NAME} characters", place=place)
        if not name:
            raise IniError(
                f"Section [] already exists in INI file {self.file}",
                place=place,
                expected="a name: the section without one is what stands before the first header",
            )
        existing = self.document.sections.get(name)
        if existing is not None:
            raise IniError(
                f"Section [{name}] already exists in INI file {self.file}",
                place=place,
                expected="one section of each name",
                remedy=f"the first one is at {existing.place}: rename one of them, or write all properties there",
            )
        if name != name.strip():
            console.warning(f"the name of section [{name}] begins or ends with a blank, at: {place}")

    def _parent(self, parent: str, name: str, place: Place) -> Section:
        section = self.document.sections.get(parent) if parent else None
        if section is not None:
            return section
        match = nearest(parent, self.document.sections)
        if parent == name:
            remedy = "a section does not inherit from itself"
        elif "=" in parent:
            remedy = "after ']' stand the names of parents; a property begins on a line of its own, not with '['"
        else:
            remedy = f"did you mean {match}?" if match else "a parent stands above the section that inherits from it"
        raise IniError(
            f"Inherited section [{shortened(parent)}] does not exist for section [{name}] in INI file {self.file}",
            place=place,
            expected="names of sections that stand above this one",
            remedy=remedy,
        )

    def _previous(self) -> str:
        last = next(reversed(self.document.sections.values()))
        return last.previous if self.parent is not None and last.name == self.parent else last.name

    # ---------------------------------------------------------------------------------------- properties

    def _property(self, text: str, line: Line) -> None:
        key, equals, value = text.partition("=")
        key, value = key.rstrip(), value.lstrip()
        if not equals:
            raise IniError(
                f"Missing value for property: {shortened(key)} in INI file {self.file}",
                place=self._place(line),
                expected="a line KEY=VALUE, or a header [NAME]",
                remedy="close the header with ']'" if key.startswith("[") else self._known_as_file(key),
            )
        if not key:
            raise IniError(
                f"Missing name of a property before '=' in INI file {self.file}",
                place=self._place(line),
                expected="a line KEY=VALUE",
            )
        if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
            value = value[1:-1]
        previous = self.section.define(key, value, self.file, line.number)
        if previous is None:
            self.size += 1
        else:
            console.warning(
                f'overriding property {key} (previous value was "{previous}") '
                f"in section [{self.section.name}] in INI file {self.file}"
            )

    def _known_as_file(self, key: str) -> str | None:
        """A remedy where the very first line shows that the file is something else."""
        if len(self.document.sections) > 1 or len(self.section) > 0:
            return None
        return "is this the right file? it does not begin like an INI file"
