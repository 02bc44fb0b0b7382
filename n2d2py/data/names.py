"""Very many paths in little memory: each folder once, and the names of all files in one run of bytes."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = b"\0"  # the one byte that no name of a file can hold
_WIDE = 1 << 32


class Paths(Sequence[str]):
    """The paths of files, folder by folder: what a list of strings takes 110 bytes for takes the name and 5 bytes.

    ``folders``: where they lie; ``counts``: how many there are in each; ``names``: their names in that order, a zero
    byte behind each. Raises ValueError if these do not fit together.
    """

    def __init__(self, folders: Sequence[str], counts: NDArray[np.int64], names: bytes) -> None:
        self.folders = list(folders)
        self.counts = counts
        self.names = names
        ends = np.flatnonzero(np.frombuffer(names, np.uint8) == 0)
        rightly = len(counts) == len(self.folders) and bool((counts >= 0).all()) and names[-1:] in (b"", _SEPARATOR)
        if not rightly or int(counts.sum()) != len(ends):
            raise ValueError(f"{len(self.folders)} folders of {int(counts.sum())} files, {len(ends)} names")
        self._ends = ends.astype(np.uint32) if len(names) < _WIDE else ends
        self._firsts: list[int] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64).tolist()

    @classmethod
    def of(cls, folders: Sequence[str], names: Sequence[Sequence[str]]) -> Paths:
        """The files called ``names[i]`` in ``folders[i]``."""
        return cls(folders, np.array([len(some) for some in names], np.int64), b"".join(map(joined, names)))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"path {index} of {len(self)}")
        start = int(self._ends[index - 1]) + 1 if index else 0
        folder = self.folders[bisect_right(self._firsts, index) - 1]
        return os.path.join(folder, os.fsdecode(self.names[start : int(self._ends[index])]))

    def __iter__(self) -> Iterator[str]:
        for folder, names in self._by_folder():
            for name in names:
                yield os.path.join(folder, name)

    def chosen(self, wanted: Sequence[bool]) -> Paths:
        """Those of them that are wanted; the folders stay, some perhaps without files."""
        places = iter(wanted)
        return Paths.of(self.folders, [[name for name in names if next(places)] for _, names in self._by_folder()])

    def _by_folder(self) -> Iterator[tuple[str, list[str]]]:
        for folder, (first, last) in zip(self.folders, pairwise(self._firsts), strict=True):
            if first == last:
                yield folder, []
                continue
            start = int(self._ends[first - 1]) + 1 if first else 0
            yield folder, os.fsdecode(self.names[start : int(self._ends[last - 1])]).split("\0")


def joined(names: Sequence[str]) -> bytes:
    """Names as :class:`Paths` holds them."""
    return os.fsencode("\0".join(names)) + _SEPARATOR if names else b""
