"""Names of cells and targets as names of files: what their files are called, and which names cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from n2d2py import console
from n2d2py.errors import GraphError, Place

LONGEST_PART = 200
"""Most bytes of a part of a path: systems allow 255, and words such as ``_running_variances.syntxt`` follow it."""

LONGEST_PATH = 1000
"""Most bytes of all parts together."""

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')


class Named(Protocol):
    """A cell or a target."""

    @property
    def name(self) -> str: ...

    def place(self) -> Place | None: ...


def path_of(cell: str) -> str:
    """The name of a cell as part of a path: what file systems forbid becomes ``_``; ``/`` makes folders.

    >>> path_of('layer1/conv:0'), path_of('/../up')
    ('layer1/conv_0', '__/up')
    """
    parts = [part for part in _FORBIDDEN.sub("_", cell).split("/") if part not in ("", ".")]
    return "/".join("__" if part == ".." else part for part in parts)


def check_names(what: str, named: Iterable[Named]) -> None:
    """Raise :class:`GraphError` if the files of one of these could not be written, or are those of another one.

    ``what`` is "cell" or "target". Warns of names that differ in upper and lower case alone, and of ``..``.
    """
    paths: dict[str, Named] = {}
    for one in named:
        path = path_of(one.name)
        _check_length(what, one, path)
        other = paths.setdefault(path.casefold(), one)
        if other is not one:
            _check_pair(what, other, one)
        if ".." in one.name.split("/"):
            console.warning(f"the files of {what} {one.name} are named {path}, at: {one.place()}")


def _check_length(what: str, one: Named, path: str) -> None:
    if not path:
        raise GraphError(
            f"the name of {what} {one.name!r} gives no name of a file", place=one.place(), remedy="rename the section"
        )
    longest = max(len(part.encode()) for part in path.split("/"))
    if longest > LONGEST_PART or len(path.encode()) > LONGEST_PATH:
        short = f"{one.name[:60]}..."
        raise GraphError(
            f"the name of {what} {short} is too long for the files that are named after it",
            place=one.place(),
            expected=f"at most {LONGEST_PART} bytes, or {LONGEST_PATH} with each part between '/' as short as that",
            remedy="rename the section",
        )


def _check_pair(what: str, other: Named, one: Named) -> None:
    if path_of(other.name) == path_of(one.name):
        raise GraphError(
            f"{what}s {other.name} and {one.name} have the same files: both are named {path_of(one.name)}",
            place=one.place(),
            remedy="rename one of them",
        )
    console.warning(
        f"{what}s {other.name} and {one.name} have the same name but for upper and lower case: where file names "
        f"do not tell these apart, each overwrites the files of the other, at: {one.place()}"
    )
