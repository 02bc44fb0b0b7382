"""KITTI: drives through a town, with vehicles and people (tracking and object benchmarks) or the road."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py import console
from n2d2py.data import readers
from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.frame import IGNORE
from n2d2py.data.partition import half_up
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.data.rois import Bitmap, Roi, rectangle
from n2d2py.errors import DataError, Place
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

_TYPE = "type truncated occluded alpha left top right bottom ..."
_ROAD, _OFF_ROAD = (255, 0, 255), (0, 0, 255)  # blue, green, red


@dataclass(frozen=True, kw_only=True)
class KittiFamily(FolderDatabase):
    """Images with a label a pixel; what Learn leaves is to validate."""

    learn: float = parameter(
        "Learn", real_between(0, 1), 0.8, "share of the labelled images to learn; the others validate"
    )
    label_path: str = parameter("LabelPath", path, "", "folder of the labels; by default below $N2D2_DATA")

    usual_labels: ClassVar[str] = ""
    published: ClassVar[int] = 0
    """Labelled images of the published collection that are to learn or to validate."""

    def nominal_size(self) -> int | None:
        return half_up(self.published * self.learn)

    def labels_folder(self) -> Path:
        """Where the labels are looked for."""
        return self.located("label_path", self.usual_labels)

    def divide(self, content: Content) -> None:
        """To learn and to validate what is in no set yet."""
        content.partition.split(self.learn, 1 - self.learn, 0, self.place("learn"))

    def images(self, folder: Path) -> list[str]:
        """Images of a folder, which has some. Raises :class:`DataError`."""
        files = tree.files_in(folder, IMAGES, self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "images *.png", self.where(), self.remedy())
        return files

    def add_tests(self, content: Content, folder: Path) -> None:
        """Images without labels, to test, if there are any."""
        if not folder.is_dir():
            console.notice(f"there is no folder {folder}: nothing is tested")
            return
        files = self.images(folder)
        content.add_files(files, [None] * len(files))
        all_to(content, "Test")


def region(content: Content, line: lines.Line, tokens: list[str], expected: str) -> Roi:
    """The rectangle of an object; DontCare is ignored. ``tokens``: type, left, top, right, bottom."""
    left, top, right, bottom = lines.integers(line, tokens[1:], expected)
    label = IGNORE if tokens[0] == "DontCare" else content.label_id(tokens[0])
    return rectangle(label, left, top, right, bottom)


@register("database", "KITTI_Database")
@dataclass(frozen=True, kw_only=True)
class KittiDatabase(KittiFamily):
    """KITTI tracking (Geiger, Lenz and Urtasun 2012): sequences 0 to 19 to learn and validate, 20 to test.

    ``image_02/NNNN/*.png`` and ``label_02/NNNN.txt``, by default in $N2D2_DATA/KITTI/training.
    """

    usual_folder: ClassVar[str] = "KITTI/training/image_02"
    usual_labels: ClassVar[str] = "KITTI/training/label_02"
    published: ClassVar[int] = 7171

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        folder = self.folder()
        there = tree.folders_in(folder, self.where(), self.remedy())
        for number in range(20):
            if f"{number:04d}" in there:
                self._add(content, folder / f"{number:04d}")
        tree.check_not_empty(len(content), folder, "sequences 0000 to 0019", self.where(), self.remedy())
        self.divide(content)
        if "0020" in there:
            self._add(content, folder / "0020")
            all_to(content, "Test")
        return content

    def _add(self, content: Content, folder: Path) -> None:
        expected = f"frame track {_TYPE}"
        files = self.images(folder)
        rois: dict[str, list[Roi]] = {file: [] for file in files}
        table = self.labels_folder() / f"{folder.name}.txt"
        for line in lines.read_lines(table, expected, self.where("label_path"), self.remedy("label_path")):
            tokens = line.text.split()
            if len(tokens) < 10:
                raise line.fail(expected, f"{len(tokens)} values")
            file = str(folder / f"{line.integer_of(tokens[0], expected):06d}.png")
            if file in rois:
                rois[file].append(region(content, line, [tokens[2], *tokens[6:10]], expected))
        content.add_files(files, [None] * len(files), [tuple(rois[file]) for file in files])


@register("database", "KITTI_Object_Database")
@dataclass(frozen=True, kw_only=True)
class KittiObjectDatabase(KittiFamily):
    """KITTI object: 7,481 images with objects to learn and validate, 7,518 without labels to test.

    ``training/image_2``, ``training/label_2`` and ``testing/image_2``, by default in $N2D2_DATA/KITTI_OBJECT.
    """

    usual_folder: ClassVar[str] = "KITTI_OBJECT"
    usual_labels: ClassVar[str] = "KITTI_OBJECT"
    published: ClassVar[int] = 7481

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        files = self.images(self.folder() / "training" / "image_2")
        labels = self.labels_folder() / "training" / "label_2"
        rois = []
        for file in files:
            table = labels / f"{os.path.splitext(os.path.basename(file))[0]}.txt"
            rois.append(tuple(self._objects(content, table)))
        content.add_files(files, [None] * len(files), rois)
        self.divide(content)
        self.add_tests(content, self.folder() / "testing" / "image_2")
        return content

    def _objects(self, content: Content, table: Path) -> Iterator[Roi]:
        for line in lines.read_lines(table, _TYPE, self.where("label_path"), self.remedy("label_path")):
            tokens = line.text.split()
            if len(tokens) < 8:
                raise line.fail(_TYPE, f"{len(tokens)} values")
            yield region(content, line, [tokens[0], *tokens[4:8]], _TYPE)


@register("database", "KITTI_Road_Database")
@dataclass(frozen=True, kw_only=True)
class KittiRoadDatabase(KittiFamily):
    """KITTI road (Fritsch, Kuehnl and Geiger 2013): 289 images; the labels of pixels are non-road and road.

    ``training/image_2``, ``training/gt_image_2`` (``um_road_000000.png`` for ``um_000000.png``) and
    ``testing/image_2``, by default in $N2D2_DATA/KITTI/data_road. Pixels that the masks leave open are ignored.
    """

    usual_folder: ClassVar[str] = "KITTI/data_road/training/image_2"
    usual_labels: ClassVar[str] = "KITTI/data_road/training/gt_image_2"
    published: ClassVar[int] = 289

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        files = self.images(self.folder())
        off_road, road = content.label_id("non-road"), content.label_id("road")
        rois = [self._road(file, off_road, road) for file in files]
        content.add_files(files, [None] * len(files), rois)
        self.divide(content)
        self.add_tests(content, self.folder().parent.parent / "testing" / "image_2")
        return content

    def _road(self, file: str, off_road: int, road: int) -> tuple[Roi, ...]:
        stem, _, number = os.path.splitext(os.path.basename(file))[0].rpartition("_")
        mask = self.labels_folder() / f"{stem}_road_{number}.png"
        if not mask.is_file():
            raise DataError(
                f"file {mask} does not exist",
                place=self.where("label_path"),
                expected=f"the mask of the road for {file}",
                remedy=self.remedy("label_path"),
            )
        pixels = readers.read(str(mask))
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise DataError(
                "the mask is not a colour image",
                place=Place(file=str(mask)),
                expected="magenta where the road is, red elsewhere",
            )
        regions: list[Roi] = []
        for label, colour in ((off_road, _OFF_ROAD), (road, _ROAD)):
            found = (pixels == colour).all(axis=2)
            if found.any():
                regions.append(Bitmap(label, mask=found))
        return tuple(regions)
