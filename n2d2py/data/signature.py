"""What a file really is, told from its first bytes: for errors about files that are not what they should be."""

from __future__ import annotations

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com", "a Git LFS pointer: the file itself was never downloaded (git lfs pull)"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\xfd7zXZ\x00", "an xz file: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file: unpack it first"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
)
_HTML = (b"<!doctype html", b"<html", b"<head", b"<!--", b"<?xml", b"<body")

HEAD = 512
"""How many first bytes :func:`identify` wants to see."""


def identify(head: bytes) -> str | None:
    """What a file is that begins with ``head``, in words for an error; None if it is nothing well known."""
    if not head:
        return "an empty file"
    for start, words in _STARTS:
        if head.startswith(start):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_HTML):
        return "a web page (HTML or XML), often the error page of a server in place of the file"
    if text.startswith((b"{", b"[")):
        return "a JSON text"
    return None
