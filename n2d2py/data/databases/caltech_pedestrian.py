"""Caltech pedestrians: frames of eleven drives through a town, with the people in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.frame import IGNORE
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.data.rois import Roi, rectangle
from n2d2py.errors import DataError
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

WIDTH, HEIGHT = 640, 480
LEARN = tuple(f"set{number:02d}" for number in range(6))
TEST = tuple(f"set{number:02d}" for number in range(6, 11))

_EXPECTED = "label left top width height occluded, left top width height of what is visible, ignore, angle"


@register("database", "CaltechPedestrian_Database")
@dataclass(frozen=True, kw_only=True)
class CaltechPedestrianDatabase(FolderDatabase):
    """Caltech Pedestrian (Dollar, Wojek, Schiele and Perona 2009): frames with a label a pixel, people as regions.

    ``images/setNN/VNNN/*.jpg`` and ``annotations/setNN/VNNN/*.txt`` (the text form, a file a frame), by default in
    $N2D2_DATA/CaltechPedestrians/data-USA. Sets 0 to 5 are to learn and to validate, 6 to 10 to test.
    """

    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of sets 0 to 5 to validate")
    single_label: bool = parameter("SingleLabel", boolean, True, "1: groups (people) are labelled person too")
    inc_ambiguous: bool = parameter("IncAmbiguous", boolean, False, "1: person? is a person; 0: it is ignored")
    label_path: str = parameter(
        "LabelPath", path, "", "folder of the annotations; by default CaltechPedestrians/data-USA/annotations"
    )

    usual_folder: ClassVar[str] = "CaltechPedestrians/data-USA/images"

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        folder = self.folder()
        there = tree.folders_in(folder, self.where(), self.remedy())
        for names, last in ((LEARN, False), (TEST, True)):
            chosen = [name for name in names if name in there]
            if not chosen:
                raise DataError(
                    f"none of {', '.join(names)} is in {folder}",
                    place=self.where(),
                    expected="folders setNN/VNNN with images, unpacked from the .seq files",
                    remedy=self.remedy(),
                )
            for name in chosen:
                self._add(content, folder / name, name)
            if last:
                all_to(content, "Test")
            else:
                content.partition.split(1 - self.validation, self.validation, 0, self.place("validation"))
        return content

    def _add(self, content: Content, folder: Path, name: str) -> None:
        annotations = self.located("label_path", "CaltechPedestrians/data-USA/annotations") / name
        for level in tree.Listing(IMAGES).walk(str(folder), 1):
            rois = []
            for file in level.files:
                text = annotations.joinpath(*level.names, f"{os.path.splitext(os.path.basename(file))[0]}.txt")
                rois.append(tuple(self._people(content, text)))
            content.add_files(level.files, [None] * len(level.files), rois)

    def _people(self, content: Content, file: Path) -> Iterator[Roi]:
        where, remedy = self.where("label_path"), self.remedy("label_path")
        for line, tokens in lines.records(file, 12, _EXPECTED, where, remedy, comment="%"):
            label = tokens[0]
            if label == "person-fa":
                continue
            left, top, width, height, occluded, *visible = lines.integers(line, tokens[1:10], _EXPECTED)
            if occluded and visible[2] > 0 and visible[3] > 0:
                left, top, width, height = visible
            right, bottom = min(left + width, WIDTH), min(top + height, HEIGHT)
            yield rectangle(self._label(content, label), max(left, 0), max(top, 0), right, bottom)

    def _label(self, content: Content, label: str) -> int:
        if label == "person?" and not self.inc_ambiguous:
            return IGNORE
        if label == "person?" or (label == "people" and self.single_label):
            label = "person"
        return content.label_id(label)
