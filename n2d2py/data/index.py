"""What a walk through the folders of a large data set found, kept from one run to the next.

Listing 1.3 million files takes seconds on a local disk and minutes on a shared one; asking each of their folders when
it was last changed takes milliseconds. An index is used if every folder still has the times of change that it had
when it was listed, and a few of them the number of files; else, and if the index itself is damaged, the folders are
listed again. It lies in the user's cache folder and never among the data.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.names import Paths
from n2d2py.data.paths import CACHE_VARIABLE, cache_root
from n2d2py.graph.files import write

FEWEST = 20_000
"""Files from which on an index is kept: fewer are listed in a moment."""

SETTLED = 2_000_000_000
"""Nanoseconds for which a folder must not have changed before it was listed: its times may be no finer than that."""

_FORMAT = 1
_COUNTED = 3  # folders whose files are counted, for file systems on which a folder does not notice a change
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Question:
    """What is listed: folders, so many levels down, files of some extensions, without what the masks name."""

    roots: tuple[str, ...]
    depth: int
    extensions: tuple[str, ...]
    masks: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of the index file, the same for the same question."""
        words = [_FORMAT, self.roots, list(map(os.path.abspath, self.roots)), self.depth, self.extensions, self.masks]
        return f"folders-{hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]}.npz"

    @property
    def shown(self) -> str:
        """The folder in messages."""
        return self.roots[0] if len(self.roots) == 1 else os.path.commonpath(list(map(os.path.abspath, self.roots)))


@dataclass(frozen=True)
class Walk:
    """The answer: of each folder its root's number and its path below it, and the paths of the files.

    ``stamps``: int64 (folders, 2), the times at which the content and the properties of each folder changed last.
    ``skipped``: how many entries were left out, with a few ``examples``.
    """

    roots: NDArray[np.int64]
    below: list[tuple[str, ...]]
    stamps: NDArray[np.int64]
    paths: Paths
    skipped: int
    examples: tuple[str, ...]


def stamp(folder: str) -> tuple[int, int]:
    """When the content and the properties of a folder changed last, in nanoseconds."""
    status = os.stat(folder)
    return status.st_mtime_ns, status.st_ctime_ns


def find(question: Question, count: Callable[[str], int]) -> Walk | None:
    """The walk that was kept, if it still holds; ``count`` gives the number of files of a folder."""
    file = _file(question)
    if file is None or not file.exists():
        return None
    try:
        walk = _read(file, question)
    except _DAMAGE:
        console.notice(f"the index {file} of {question.shown} is damaged: the folder is listed again")
        return None
    try:
        return walk if _holds(walk, count) else None
    except OSError:
        return None  # a folder is gone, which listing will say better


def keep(question: Question, walk: Walk, begun: int) -> None:
    """Keep a walk that began at the time ``begun`` (nanoseconds), unless it is small or the folders are in change."""
    file = _file(question)
    settled = bool((walk.stamps < begun - SETTLED).all() and (walk.stamps > 0).all())
    if file is None or not settled or len(walk.paths) < FEWEST:
        return
    place = os.path.abspath(file)
    if any(os.path.commonpath([place, root]) == root for root in map(os.path.abspath, question.roots)):
        console.notice(
            f"no index of {question.shown} is kept, because {file.parent} lies in it: "
            f"{CACHE_VARIABLE} names another folder"
        )
        return
    meta = {"skipped": walk.skipped, "examples": walk.examples, "below": walk.below}
    stream = io.BytesIO()
    np.savez(
        stream,
        meta=np.frombuffer(json.dumps(meta).encode(), np.uint8),
        roots=walk.roots,
        stamps=walk.stamps,
        counts=walk.paths.counts,
        names=np.frombuffer(walk.paths.names, np.uint8),
    )
    try:
        write(file, stream.getvalue())
    except OSError as error:
        console.notice(
            f"the index of {question.shown} could not be kept in {file.parent}: {error.strerror or error}; "
            f"{CACHE_VARIABLE} names another folder, or 0 for none"
        )


def now() -> int:
    """The time, in nanoseconds."""
    return time.time_ns()


def _file(question: Question) -> Path | None:
    root = cache_root()
    return None if root is None else root / question.file


def _read(file: Path, question: Question) -> Walk:
    """Raises one of the errors of damage; the archive has a checksum for each of its parts."""
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as kept:
        meta = json.loads(kept["meta"].tobytes())
        roots, stamps, counts, names = (kept[name] for name in ("roots", "stamps", "counts", "names"))
    below = [tuple(map(str, one)) for one in meta["below"]]
    if not (len(roots) == len(stamps) == len(below)) or stamps.shape[1:] != (2,):
        raise ValueError("the parts of the index do not fit together")
    folders = [os.path.join(question.roots[root], *one) for root, one in zip(roots.tolist(), below, strict=True)]
    paths = Paths(folders, counts, names.tobytes())
    return Walk(roots, below, stamps, paths, int(meta["skipped"]), tuple(map(str, meta["examples"])))


def _holds(walk: Walk, count: Callable[[str], int]) -> bool:
    folders = walk.paths.folders
    if any(stamp(folder) != tuple(times) for folder, times in zip(folders, walk.stamps.tolist(), strict=True)):
        return False
    some: Sequence[int] = np.linspace(0, len(folders) - 1, _COUNTED).astype(int).tolist()
    return all(count(folders[place]) == walk.paths.counts[place] for place in set(some))
