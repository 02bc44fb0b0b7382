"""Daimler pedestrians: people cut out and streets without people, or a drive of 27 minutes with its people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, regions, tree
from n2d2py.data.databases.base import FolderDatabase
from n2d2py.data.frame import IGNORE
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.data.rois import Roi, rectangle
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

_TRAINING = (("Pedestrians/48x96", "pedestrian"), ("Pedestrians/18x36", "pedestrian"), ("NonPedestrians", "background"))
_EXPECTED = "an image after a line with ; and, for each object, # class, numbers, confidence, left top right bottom"
_BOXES = "GroundTruth2D.db"


@register("database", "Daimler_Database")
@dataclass(frozen=True, kw_only=True)
class DaimlerDatabase(FolderDatabase):
    """Daimler monocular pedestrian benchmark (Enzweiler and Gavrila 2009).

    Fully=0: ``TrainingData/Pedestrians/48x96``, ``.../18x36`` (label pedestrian) and ``TrainingData/NonPedestrians``
    (label background). Fully=1: ``TestData`` with a label a pixel; objects other than pedestrians, and those that
    are partly hidden, are ignored. By default in $N2D2_DATA/Daimler_pedestrian/DaimlerBenchmark/Data.
    """

    learn: float = parameter("Learn", real_between(0, 1), 1.0, "share of the images to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of the images to validate")
    test: float = parameter("Test", real_between(0, 1), 0.0, "share of the images to test")
    fully: bool = parameter("Fully", boolean, False, "1: whole images of the drive, people as regions")
    label_path: str = parameter(
        "LabelPath", path, "", f"folder of {_BOXES}; by default Daimler_pedestrian/DaimlerBenchmark/Data"
    )

    usual_folder: ClassVar[str] = "Daimler_pedestrian/DaimlerBenchmark/Data"

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        if self.fully:
            self._add_drive(content)
        else:
            folder = self._inside("TrainingData")
            for name, label in _TRAINING:
                files = tree.files_in(folder / name, IMAGES, self.where(), self.remedy())
                content.add_files(files, [label] * len(files))
            tree.check_not_empty(len(content), folder, "images *.pgm", self.where(), self.remedy())
        content.partition.split(self.learn, self.validation, self.test, self.place("learn"))
        return content

    def _inside(self, name: str) -> Path:
        """The folder of that name in DataPath, or DataPath itself."""
        folder = self.folder()
        return folder / name if (folder / name).is_dir() or not folder.is_dir() else folder

    def _add_drive(self, content: Content) -> None:
        folder = self._inside("TestData")
        files = tree.files_in(folder, IMAGES, self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "images *.pgm", self.where(), self.remedy())
        pedestrian = content.label_id("pedestrian")
        found: dict[str, list[Roi]] = {}
        for name, roi in _objects(self._boxes(), pedestrian, self.where("label_path"), self.remedy("label_path")):
            found.setdefault(str(folder / name), []).append(roi)
        content.add_files(files, [None] * len(files), regions.in_order(files, found))

    def _boxes(self) -> Path:
        folder = self.located("label_path", self.usual_folder)
        candidates = [folder / _BOXES, folder / "GroundTruth" / _BOXES, folder.parent / "GroundTruth" / _BOXES]
        return next((file for file in candidates if file.is_file()), candidates[0])


def _objects(file: Path, pedestrian: int, place: Place | None, remedy: str) -> Iterator[tuple[str, Roi]]:
    """The image and the region of each object. An object is a line ``# class``, some numbers, and its corners."""
    image, kind = "", None
    after_mark = False
    for line in lines.read_lines(file, _EXPECTED, place, remedy):
        if line.text in (";", ":"):
            after_mark, image, kind = line.text == ";", "", None
        elif after_mark:
            image, after_mark = line.text, False
        elif image and line.text.startswith("#"):
            kind = line.integer_of(line.text[1:].strip(), _EXPECTED)
        elif image and kind is not None and len(line.text.split()) == 4:
            left, top, right, bottom = lines.integers(line, line.text.split(), _EXPECTED)
            if right < left or bottom < top:
                raise line.fail(_EXPECTED, "the second corner is before the first one")
            yield image, rectangle(pedestrian if kind == 0 else IGNORE, left, top, right, bottom)
            kind = None
    if after_mark:
        raise DataError("the file ends after a mark of an image", place=Place(file=str(file)), expected=_EXPECTED)
