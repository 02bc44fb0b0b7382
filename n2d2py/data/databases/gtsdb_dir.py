"""German traffic signs to find: 900 photographs of streets with the signs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import regions, tree
from n2d2py.data.databases.base import FolderDatabase, split_rest
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.kinds import real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

PUBLISHED = 900
"""Images of the published collection."""


@register("database", "GTSDB_DIR_Database")
@dataclass(frozen=True, kw_only=True)
class GtsdbDirDatabase(FolderDatabase):
    """GTSDB (Houben, Stallkamp, Salmen, Schlipsing and Igel 2013): images with a label a pixel, signs as regions.

    By default in $N2D2_DATA/FullIJCNN2013: ``*.ppm`` and ``gt.txt``.
    """

    learn: float = parameter("Learn", real_between(0, 1), REQUIRED, "share of the images to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of the images to validate")

    usual_folder: ClassVar[str] = "FullIJCNN2013"

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        files = tree.files_in(folder, ("ppm",), self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "images *.ppm", self.where(), self.remedy())
        content = self.begin(generator)
        listed = regions.read(folder / "gt.txt", False, self.where(), self.remedy())
        found = regions.match(content, files, listed, lambda name: str(folder / name))
        content.add_files(files, [None] * len(files), regions.in_order(files, found))
        split_rest(content, self.learn, self.validation, self.place("learn"))
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * self.learn)
