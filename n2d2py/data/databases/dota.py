"""DOTA: photographs from the air, with the outlines of vehicles, ships, courts and more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.partition import half_up
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.data.rois import Polygon, Roi
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

PUBLISHED = 1411
"""Learning images of the published collection (version 1)."""

_EXPECTED = "x1 y1 x2 y2 x3 y3 x4 y4 category difficult"


@register("database", "DOTA_Database")
@dataclass(frozen=True, kw_only=True)
class DotaDatabase(FolderDatabase):
    """DOTA (Xia et al. 2018, arXiv:1711.10398): images with a label a pixel, objects as four corners.

    ``{train,val}/images`` and ``{train,val}/labelTxt``, by default in $N2D2_DATA/DOTA. Objects that are marked as
    difficult are objects as well.
    """

    learn: float = parameter(
        "Learn", real_between(0, 1), REQUIRED, "share of the images in train to learn; the others are tested with"
    )
    use_validation_for_test: bool = parameter(
        "UseValidationForTest", boolean, True, "1: the validation images are tested with as well"
    )
    label_path: str = parameter("LabelPath", path, "", "folder of train/labelTxt and val/labelTxt; by default DataPath")

    usual_folder: ClassVar[str] = "DOTA"

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        self._add(content, "train")
        content.partition.split(self.learn, 0, 1 - self.learn, self.place("learn"))
        self._add(content, "val")
        all_to(content, "Validation")
        if self.use_validation_for_test:
            self._add(content, "val")
            all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * self.learn)

    def _add(self, content: Content, part: str) -> None:
        folder = self.folder() / part / "images"
        files = tree.files_in(folder, IMAGES, self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "images *.png", self.where(), self.remedy())
        labels = (self.located("label_path", "") if self.label_path else self.folder()) / part / "labelTxt"
        rois = []
        for file in files:
            text = labels / f"{os.path.splitext(os.path.basename(file))[0]}.txt"
            rois.append(tuple(self._objects(content, text)))
        content.add_files(files, [None] * len(files), rois)

    def _objects(self, content: Content, file: Path) -> Iterator[Roi]:
        for line in lines.read_lines(file, _EXPECTED, self.where("label_path"), self.remedy("label_path")):
            if line.text.startswith(("imagesource", "gsd")):
                continue
            tokens = line.tokens()
            if len(tokens) not in (9, 10):
                raise line.fail(_EXPECTED, f"{len(tokens)} values, 10 are expected")
            values = lines.integers(line, tokens[:8], _EXPECTED)
            yield Polygon(content.label_id(tokens[8]), tuple(zip(values[::2], values[1::2], strict=True)))
