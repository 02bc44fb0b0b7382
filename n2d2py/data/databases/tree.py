"""Files of a folder and of those below it, listed fast and in N2D2's order: the order of the bytes of their paths."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from n2d2py import console
from n2d2py.data import index
from n2d2py.data.names import Paths, joined
from n2d2py.data.readers import EXTENSIONS, extension
from n2d2py.errors import DataError, Place


def in_byte_order(names: Collection[str]) -> list[str]:
    """Names in the order of their bytes: capitals before small letters."""
    plain = all(map(str.isascii, names))  # by far the usual case
    return sorted(names) if plain else sorted(names, key=os.fsencode)


@functools.lru_cache
def _pattern(mask: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in mask), re.DOTALL)


def matches(mask: str, text: str) -> bool:
    """Whether the whole text has the form of the mask: ``*`` is any run, ``?`` one character, nothing else special.

    >>> matches("*/_background_*", "data/_background_noise_"), matches("a.b", "axb")
    (True, False)
    """
    return _pattern(mask).fullmatch(text) is not None


@dataclass
class Listing:
    """Reads folders; counts what it leaves out, which :meth:`close` says in one notice.

    ``extensions``: of the files that count. ``masks``: paths, of folders as well, that are left out.
    """

    extensions: Collection[str] = EXTENSIONS
    masks: Sequence[str] = ()
    skipped: int = 0
    examples: list[str] = field(default_factory=list)

    def read(self, folder: str, place: Place | None = None, remedy: str | None = None) -> tuple[list[str], list[str]]:
        """Paths of the files and names of the folders in ``folder``, sorted. Raises :class:`DataError`."""
        files, folders = self.names(folder, place, remedy)
        return [os.path.join(folder, name) for name in files], folders

    def names(self, folder: str, place: Place | None = None, remedy: str | None = None) -> tuple[list[str], list[str]]:
        """As :meth:`read`, the names of the files without the folder."""
        files, folders = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self.masks and self._is_masked(entry.path):
                        self._skip(entry.path)
                    elif entry.is_dir():
                        folders.append(entry.name)
                    elif _kind(entry.name) in self.extensions:
                        files.append(entry.name)
                    else:
                        self._skip(entry.path)
        except OSError as error:
            raise unreadable_folder(Path(folder), error, place, remedy) from None
        return in_byte_order(files), in_byte_order(folders)

    def walk(self, folder: str, depth: int, place: Place | None = None, remedy: str | None = None) -> Iterator[Level]:
        """``folder``, then those below it, ``depth`` levels down (-1: all of them); each before those it contains.

        A folder that is reached again through a link to one that contains it is left out.
        """
        return self._walk(folder, (), depth, (), place, remedy)

    def tree(
        self, roots: Sequence[str], depth: int, place: Place | None = None, remedy: str | None = None
    ) -> tuple[list[tuple[str, ...]], Paths]:
        """The walks through some folders one after the other: of each folder the names that lead to it, and all files.

        What very many files are is kept in an index outside of the data (:mod:`n2d2py.data.index`).
        """
        question = index.Question(tuple(roots), depth, tuple(sorted(self.extensions)), tuple(self.masks))
        walk = index.find(question, lambda folder: len(Listing(self.extensions, self.masks).names(folder)[0]))
        if walk is None:
            walk = self._walk_all(question, place, remedy)
        else:
            self.skipped += walk.skipped
            self.examples += walk.examples
        return walk.below, walk.paths

    def _walk_all(self, question: index.Question, place: Place | None, remedy: str | None) -> index.Walk:
        begun, before = index.now(), (self.skipped, len(self.examples))
        numbers, below, stamps, folders, counts, names = [], [], [], [], [], []
        for number, root in enumerate(question.roots):
            for level in self._walk(root, (), question.depth, (), place, remedy):
                numbers.append(number)
                below.append(level.names)
                stamps.append(level.stamp)
                folders.append(level.folder)
                counts.append(len(level.file_names))
                names.append(joined(level.file_names))
        walk = index.Walk(
            np.array(numbers, np.int64),
            below,
            np.array(stamps, np.int64).reshape(-1, 2),
            Paths(folders, np.array(counts, np.int64), b"".join(names)),
            self.skipped - before[0],
            tuple(self.examples[before[1] :]),
        )
        index.keep(question, walk, begun)
        return walk

    def _walk(
        self,
        folder: str,
        names: tuple[str, ...],
        depth: int,
        above: tuple[tuple[int, int], ...],
        place: Place | None,
        remedy: str | None,
    ) -> Iterator[Level]:
        try:
            times = index.stamp(folder)  # before it is read, so that a change meanwhile is a later one
        except OSError as error:
            raise unreadable_folder(Path(folder), error, place, remedy) from None
        files, folders = self.names(folder, place, remedy)
        yield Level(folder, names, files, times)
        if depth == 0 or not folders:
            return
        status = os.stat(folder)
        above = (*above, (status.st_dev, status.st_ino))
        for name in folders:
            below = os.path.join(folder, name)
            if os.path.islink(below):
                status = os.stat(below)
                if (status.st_dev, status.st_ino) in above:
                    self._skip(below)
                    continue
            yield from self._walk(below, (*names, name), depth - 1, above, place, remedy)

    def close(self) -> None:
        """Say what was left out."""
        if self.skipped:
            shown = ", ".join(self.examples) + (", ..." if self.skipped > len(self.examples) else "")
            console.notice(f"{self.skipped} files and folders are no stimuli, and are left out: {shown}")

    def _is_masked(self, path: str) -> bool:
        return any(matches(mask, path) for mask in self.masks)

    def _skip(self, path: str) -> None:
        self.skipped += 1
        if len(self.examples) < 3:
            self.examples.append(path)


@dataclass(frozen=True)
class Level:
    """A folder of a walk: the names of the folders that lead to it, those of its files, its times of change."""

    folder: str
    names: tuple[str, ...]
    file_names: list[str]
    stamp: tuple[int, int]

    @property
    def files(self) -> list[str]:
        """The paths of its files."""
        return [os.path.join(self.folder, name) for name in self.file_names]


def _kind(name: str) -> str:
    """:func:`~n2d2py.data.readers.extension` of a name without a folder, faster."""
    if name.startswith("."):
        return extension(name)
    dot = name.rfind(".")
    return name[dot + 1 :].lower() if dot >= 0 else ""


def unreadable_folder(folder: Path, error: OSError, place: Place | None = None, remedy: str | None = None) -> DataError:
    """The error that a folder cannot be listed."""
    if isinstance(error, NotADirectoryError):
        what = f"{folder} is a file, not a folder"
        remedy = "unpack it, and name the folder that holds what was in it"
    elif isinstance(error, FileNotFoundError):
        what = f"folder {folder} does not exist"
    else:
        what = f"cannot read folder {folder}: {error.strerror or error}"
    return DataError(what, place=place, expected="a folder with the files of the data set", remedy=remedy)


def files_in(
    folder: Path, extensions: Collection[str], place: Place | None = None, remedy: str | None = None
) -> list[str]:
    """Sorted paths of the files of these extensions directly in a folder. Raises :class:`DataError`."""
    return Listing(extensions).read(str(folder), place, remedy)[0]


def folders_in(folder: Path, place: Place | None = None, remedy: str | None = None) -> list[str]:
    """Sorted names of the folders directly in a folder. Raises :class:`DataError`."""
    return Listing(()).read(str(folder), place, remedy)[1]


def check_not_empty(count: int, folder: Path, what: str, place: Place | None, remedy: str | None = None) -> None:
    """Raise :class:`DataError` if nothing was found: ``what`` says which files were looked for."""
    if count == 0:
        raise DataError(f"there is nothing to load in {folder}", place=place, expected=what, remedy=remedy)


class Present:
    """Which files exist, each folder being listed once: for lists that name very many files."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def __contains__(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return name in self._names[folder]
