"""Caltech-101 and Caltech-256: photographs of objects, a folder a category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import tree
from n2d2py.data.databases.base import FolderDatabase, all_to, split_per_label
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@dataclass(frozen=True, kw_only=True)
class CaltechDatabase(FolderDatabase):
    """JPEG images whose folder is their label (``/airplanes``); all labels give as many stimuli to learn."""

    learn: float = parameter("Learn", real_between(0, 1), REQUIRED, "share to learn of the smallest label, for each")
    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share to validate of the smallest label, for each"
    )
    inc_clutter: bool = parameter("IncClutter", boolean, False, "1: with the images that show none of the objects")

    never: ClassVar[tuple[str, ...]] = ()
    """Folders that are left out."""
    clutter: ClassVar[str] = ""
    labels: ClassVar[int] = 0
    """Labels of the published collection without clutter."""
    smallest: ClassVar[int] = 0
    """Images of its smallest label."""

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        left_out = self.never if self.inc_clutter else (*self.never, self.clutter)
        content = self.begin(generator)
        listing = tree.Listing(("jpg",), tuple(f"{folder}/{name}" for name in left_out))
        for level in listing.walk(str(folder), 1, self.where(), self.remedy()):
            content.add_files(level.files, ["/".join(("", *level.names))] * len(level.files))
        tree.check_not_empty(len(content), folder, "images in <category>/*.jpg", self.where(), self.remedy())
        rest = max(0.0, 1 - self.learn - self.validation)
        split_per_label(content, self.learn, self.validation, rest, True, self.place("learn"))
        all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return (self.labels + self.inc_clutter) * half_up(self.smallest * self.learn)


@register("database", "Caltech101_DIR_Database")
@dataclass(frozen=True, kw_only=True)
class Caltech101DirDatabase(CaltechDatabase):
    """Caltech-101 (Fei-Fei, Fergus and Perona 2004), by default in $N2D2_DATA/101_ObjectCategories.

    ``Faces_easy`` is left out always, ``BACKGROUND_Google`` without IncClutter.
    """

    usual_folder: ClassVar[str] = "101_ObjectCategories"
    never: ClassVar[tuple[str, ...]] = ("Faces_easy",)
    clutter: ClassVar[str] = "BACKGROUND_Google"
    labels: ClassVar[int] = 100
    smallest: ClassVar[int] = 31


@register("database", "Caltech256_DIR_Database")
@dataclass(frozen=True, kw_only=True)
class Caltech256DirDatabase(CaltechDatabase):
    """Caltech-256 (Griffin, Holub and Perona 2007), by default in $N2D2_DATA/256_ObjectCategories.

    ``257.clutter`` is left out without IncClutter.
    """

    usual_folder: ClassVar[str] = "256_ObjectCategories"
    clutter: ClassVar[str] = "257.clutter"
    labels: ClassVar[int] = 256
    smallest: ClassVar[int] = 80
