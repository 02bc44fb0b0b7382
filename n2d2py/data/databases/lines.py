"""Text files that come with a data set: lists, labels, boxes. An error names file, line and what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from n2d2py.errors import DataError, Place
from n2d2py.signature import HEAD, known_format

_TOKEN = re.compile(r'"([^"]*)"|([^,; \t]+)')


def read_bytes(file: Path, expected: str, place: Place | None = None, remedy: str | None = None) -> bytes:
    """The whole content of a file. Raises :class:`DataError` that says what was ``expected`` to be there."""
    try:
        return file.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise DataError(
            f"file {file} does not exist" if missing else f"cannot read {file}: {error.strerror or error}",
            place=place,
            expected=expected,
            remedy=remedy or "check the path and its permissions",
        ) from None


def read_text(file: Path, expected: str, place: Place | None = None, remedy: str | None = None) -> str:
    """The text of a file (UTF-8, else Latin-1). What is no text is a :class:`DataError` that says what it is."""
    content = read_bytes(file, expected, place, remedy)
    head = content[:HEAD]
    found = known_format(head)
    if found is not None:
        raise DataError(f"the file is {found}", place=Place(file=str(file)), expected=expected)
    if b"\0" in head:
        raise DataError("the file is not a text", place=Place(file=str(file)), expected=expected)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


@dataclass(frozen=True)
class Line:
    """A line of a file with its number, from 1."""

    file: str
    number: int
    text: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(file=self.file, line=self.number)

    def tokens(self) -> list[str]:
        """Values between commas, semicolons, blanks and tabs, any run of which is one; quotes hold blanks."""
        return [match.group(1) if match.group(2) is None else match.group(2) for match in _TOKEN.finditer(self.text)]

    def fail(self, expected: str, why: str = "") -> DataError:
        """The error that the line cannot be read."""
        shown = self.text if len(self.text) <= 80 else f"{self.text[:77]}..."
        return DataError(
            f"unreadable line {shown!r}" + (f": {why}" if why else ""),
            place=self.place,
            expected=expected,
            remedy="get the file again, or mend the line",
        )

    def number_of(self, text: str, expected: str) -> float:
        """A finite number. Raises :class:`DataError`."""
        return self._converted(float, text, expected)

    def integer_of(self, text: str, expected: str) -> int:
        """An integer; a real number is cut toward zero, as N2D2 does. Raises :class:`DataError`."""
        return int(self._converted(float, text, expected))

    def _converted(self, convert: Callable[[str], Any], text: str, expected: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            raise self.fail(expected, f"{text!r} is not a number") from None
        if not math.isfinite(value):
            raise self.fail(expected, f"{text!r} is not a finite number")
        return value


def read_lines(
    file: Path,
    expected: str,
    place: Place | None = None,
    remedy: str | None = None,
    comment: str = "",
    skip: int = 0,
) -> Iterator[Line]:
    """The lines of a text that are not blank; what follows ``comment`` is cut off, ``skip`` lines are left out."""
    text = read_text(file, expected, place, remedy)
    for number, raw in enumerate(text.split("\n"), start=1):
        stripped = (raw.partition(comment)[0] if comment else raw).strip()
        if number > skip and stripped:
            yield Line(str(file), number, stripped)


def records(
    file: Path,
    count: int,
    expected: str,
    place: Place | None = None,
    remedy: str | None = None,
    comment: str = "",
    skip: int = 0,
) -> Iterator[tuple[Line, list[str]]]:
    """Lines with their ``count`` values; a line of fewer or more is a :class:`DataError`."""
    for line in read_lines(file, expected, place, remedy, comment, skip):
        tokens = line.tokens()
        if len(tokens) != count:
            raise line.fail(expected, f"{len(tokens)} values, {count} are expected")
        yield line, tokens


def integers(line: Line, tokens: Sequence[str], expected: str) -> list[int]:
    """All of some values of a line as integers."""
    return [line.integer_of(token, expected) for token in tokens]
