"""What a file really is, told from its first bytes: for errors about files that are not what they should be."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """A kind of file, in words that continue "the file is ...", and what to do about it."""

    name: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.remedy}" if self.remedy else self.name


_UTF16 = Format("text in UTF-16", "save it as UTF-8")
_STARTS: tuple[tuple[bytes, Format], ...] = (
    (
        b"version https://git-lfs.github.com",
        Format("a Git LFS pointer", "the file itself was never downloaded (git lfs pull)"),
    ),
    (b"PK\x03\x04", Format("a ZIP archive", "unpack it first")),
    (b"BZh", Format("a bzip2 file", "unpack it first")),
    (b"\xfd7zXZ\x00", Format("an xz file", "unpack it first")),
    (b"\x28\xb5\x2f\xfd", Format("a Zstandard file", "unpack it first")),
    (b"\x1f\x8b", Format("a gzip file")),
    (b"\x89PNG", Format("a PNG image")),
    (b"\xff\xd8\xff", Format("a JPEG image")),
    (b"%PDF", Format("a PDF document")),
    (b"\x7fELF", Format("a program")),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
)
_HTML = (b"<!doctype", b"<html", b"<head", b"<!--", b"<?xml", b"<body")
_PAGE = Format(
    "a web page (HTML or XML), often the error page of a server in place of the file",
    "download the file itself, not the page that shows it",
)

HEAD = 512
"""How many first bytes :func:`identify` wants to see."""


def known_format(head: bytes) -> Format | None:
    """What a file is that begins with ``head``; None if it is nothing that can be told for sure."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return _PAGE if text.startswith(_HTML) else None


def identify(head: bytes) -> str | None:
    """As :func:`known_format`, in words for an error; an empty file and a JSON text have words too.

    Not for files whose own text may begin with a bracket, or be empty.
    """
    if not head:
        return "an empty file"
    if (found := known_format(head)) is not None:
        return str(found)
    return "a JSON text" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else None
