"""FDDB: 2,845 photographs with the 5,171 faces in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, split_rest
from n2d2py.data.partition import half_up
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.rois import Ellipse, Roi
from n2d2py.errors import DataError, Place
from n2d2py.kinds import real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

PUBLISHED = 2845
FOLDS = 10

_EXPECTED = "the path of an image without .jpg, the number of its faces, then a line for each: major minor angle x y 1"


@register("database", "FDDB_Database")
@dataclass(frozen=True, kw_only=True)
class FddbDatabase(FolderDatabase):
    """FDDB (Jain and Learned-Miller 2010): images with a label a pixel, faces as ellipses.

    By default in $N2D2_DATA/FDDB: images below it, and ``FDDB-folds/FDDB-fold-NN-ellipseList.txt``.
    """

    learn: float = parameter("Learn", real_between(0, 1), REQUIRED, "share of the images to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of the images to validate")
    label_path: str = parameter("LabelPath", path, "", "folder of the lists of ellipses; by default FDDB")

    usual_folder: ClassVar[str] = "FDDB"

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        folder, present = self.folder(), tree.Present()
        face = content.label_id("face")
        for number in range(1, FOLDS + 1):
            paths, rois = [], []
            for place, name, ellipses in self._fold(self._list(number), face):
                candidates = [str(base / f"{name}.jpg") for base in (folder, folder / "originalPics")]
                file = next((candidate for candidate in candidates if candidate in present), None)
                if file is None:
                    raise DataError(
                        f"file {candidates[0]} does not exist",
                        place=place,
                        expected="every image that the lists name",
                        remedy=self.remedy(),
                    )
                paths.append(file)
                rois.append(ellipses)
            content.add_files(paths, [None] * len(paths), rois)
        split_rest(content, self.learn, self.validation, self.place("learn"))
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * self.learn)

    def _list(self, number: int) -> Path:
        folder = self.located("label_path", self.usual_folder)
        name = f"FDDB-fold-{number:02d}-ellipseList.txt"
        below = folder / "FDDB-folds" / name
        return below if below.exists() or not (folder / name).exists() else folder / name

    def _fold(self, file: Path, face: int) -> list[tuple[Place, str, tuple[Roi, ...]]]:
        found = []
        read = lines.read_lines(file, _EXPECTED, self.where("label_path"), self.remedy("label_path"))
        for line in read:
            counted = next(read, None)
            if counted is None:
                raise line.fail(_EXPECTED, "the file ends after it")
            ellipses: list[Roi] = []
            for _ in range(counted.integer_of(counted.text, _EXPECTED)):
                values = next(read, None)
                if values is None:
                    raise counted.fail(_EXPECTED, f"the file ends after {len(ellipses)} of the faces")
                ellipses.append(_ellipse(values, face))
            found.append((line.place, line.text, tuple(ellipses)))
        return found


def _ellipse(line: lines.Line, face: int) -> Roi:
    tokens = line.tokens()
    if len(tokens) not in (5, 6):
        raise line.fail(_EXPECTED, f"{len(tokens)} values, 6 are expected")
    major, minor, angle, x, y = (line.number_of(token, _EXPECTED) for token in tokens[:5])
    return Ellipse(face, int(x), int(y), int(major), int(minor), angle)
