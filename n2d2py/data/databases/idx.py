"""Databases in the four files of MNIST: images and labels to learn and to test with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data import idx
from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.partition import half_up
from n2d2py.data.paths import data_root, data_root_remedy, expand, path
from n2d2py.data.random import Generator
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Names of the files, each of which may have ``.gz`` behind it."""

PUBLISHED = 60_000
"""Learning images of MNIST and of the collections in its form."""

DIGITS = tuple("0123456789")


@dataclass(frozen=True, kw_only=True)
class IdxDatabase(Database):
    """Images and labels in IDX files: the first two files to learn and to validate, the last two to test."""

    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of the learning stimuli that become the validation set"
    )
    data_path: str = parameter("DataPath", path, "", "folder of the four files; by default below $N2D2_DATA")

    folders: ClassVar[tuple[str, ...]] = ()
    """Folders below $N2D2_DATA in which the files are looked for, N2D2's own first."""
    fetch_name: ClassVar[str] = ""
    """What ``n2d2py -fetch`` calls the data set."""

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        files = idx.find(self.folder(), FILES, self._remedy(), self.place("data_path") or self.place())
        content = self.begin(generator, DIGITS)
        content.append(*idx.read_pair(files[0], files[1]), stem=_stem(files[0]))
        content.partition.split(1 - self.validation, self.validation, 0, self.place("validation"))
        content.append(*idx.read_pair(files[2], files[3]), stem=_stem(files[2]))
        content.partition.split(0, 0, 1)
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * (1 - self.validation))

    def folder(self) -> Path:
        """Where the files are looked for: DataPath, else the first folder below $N2D2_DATA that has any of them."""
        if self.data_path:
            return expand(self.data_path, self.place("data_path"))
        candidates = [data_root() / name for name in self.folders]
        for candidate in candidates:
            if any((candidate / f"{name}{ending}").exists() for name in FILES for ending in ("", ".gz")):
                return candidate
        return candidates[0]

    def _remedy(self) -> str:
        return f"{data_root_remedy()}; n2d2py -fetch {self.fetch_name} downloads the files"


def _stem(images: Path) -> str:
    """The name of the file of images, the same whether it is packed or not: stimuli are named after it."""
    return str(images).removesuffix(".gz")
