r"""From physical lines to logical ones: byte-order marks, continuation, comments.

The order is N2D2's: a byte-order mark at the start of any line is dropped; a line whose very last character
is a backslash is joined with the next one, nothing between them (so a blank after the backslash undoes it,
and a comment that ends in a backslash takes the next line with it); then ``;`` and ``#`` start a comment
anywhere outside double quotes; then both ends are trimmed. A carriage return before the line feed belongs to
the end of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """A logical line before comments are cut, and the number of its first physical line, from 1."""

    number: int
    text: str
    complete: bool
    """False for a last line that ends in a backslash: nothing follows to be joined."""


def logical_lines(text: str) -> Iterator[Line]:
    """The logical lines of ``text``, the empty ones too; time and memory are linear in its size."""
    pending: list[str] = []
    start = 1
    # str.splitlines would also split at form feeds and other separators, which N2D2 does not.
    for number, physical in enumerate(text.split("\n"), start=1):
        if not pending:
            start = number
        part = physical.removesuffix("\r").removeprefix("\ufeff")
        if part.endswith("\\"):
            pending.append(part[:-1])
            continue
        pending.append(part)
        yield Line(start, "".join(pending), True)
        pending = []
    if pending:
        yield Line(start, "".join(pending), False)


_COMMENT = re.compile("[;#]")


def content(text: str) -> str:
    """A logical line without its comment, trimmed; raises ValueError where a double quote is not closed."""
    done = 0  # everything before is outside quotes, or in pairs of them
    while (mark := _COMMENT.search(text, done)) is not None:
        if text.count('"', done, mark.start()) % 2 == 0:
            return text[: mark.start()].strip()
        done = text.find('"', mark.end()) + 1
        if not done:
            raise ValueError("a double quote is not closed")
    if text.count('"', done) % 2:
        raise ValueError("a double quote is not closed")
    return text.strip()
