"""From a path to the text of an INI file or a template, or to an error that says what the file is instead."""

from __future__ import annotations

import os
import re
from pathlib import Path

from n2d2py import console
from n2d2py.errors import IniError, Place, nearest
from n2d2py.signature import HEAD, known_format

MAX_BYTES = 64 << 20
"""Largest file that is read: the largest real networks are a thousandth of it."""


INI = "INI file"
TEMPLATE = "template file"
_SUFFIXES = {INI: (".ini",), TEMPLATE: (".tpl", ".ini")}


def read_source(path: str | os.PathLike[str], kind: str = INI) -> str:
    """The text of the file: UTF-8, or Latin-1 with a notice where it is not valid UTF-8.

    ``kind`` is :data:`INI` or :data:`TEMPLATE`. Raises :class:`IniError` if there is no such file, it cannot be
    read, or it is not text.
    """
    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(file, kind, error) from None
    return decode(data, file, kind)


def decode(data: bytes, file: str, kind: str = INI) -> str:
    """The text that the bytes of a file hold; the same errors as :func:`read_source`."""
    place = Place(file)
    expected = f"{'an' if kind == INI else 'a'} {kind}"
    if len(data) > MAX_BYTES:
        raise IniError(f"{file} is larger than {MAX_BYTES >> 20} MiB", place=place, expected=expected)
    if (found := known_format(data[:HEAD])) is not None:
        raise IniError(f"{file} is {found.name}", place=place, expected=expected, remedy=found.remedy or None)
    if (position := data.find(0)) >= 0:
        line = data.count(b"\n", 0, position) + 1
        raise IniError(f"{file} is binary data", place=Place(file, line), expected=f"{expected}, which is text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        console.notice(f"{file} is not UTF-8 (line {line}): it is read as Latin-1")
        return re.sub(rb"(?m)^\xef\xbb\xbf", b"", data).decode("latin-1")


def _unreadable(file: str, kind: str, error: Exception) -> IniError:
    what = f"Could not open {kind}: {file}"
    if isinstance(error, FileNotFoundError):
        folder = Path(file).parent
        try:
            beside = sorted(entry.name for entry in folder.iterdir() if entry.suffix in _SUFFIXES[kind])
        except OSError:
            return IniError(what, remedy=f"there is no folder {folder}")
        match = nearest(Path(file).name, beside)
        return IniError(what, remedy=f"did you mean {folder / match}?" if match else "there is no such file")
    if isinstance(error, IsADirectoryError):
        return IniError(what, expected="a file; this is a folder", remedy=f"name the {kind} in it")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return IniError(what, remedy=f"the system says: {reason}")
