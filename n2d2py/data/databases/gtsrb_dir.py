"""German traffic signs to recognise: 39,209 photographs of 43 signs to learn, 12,630 to test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import regions, tree
from n2d2py.data.databases.base import FolderDatabase, all_to, split_per_label
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.data.rois import Roi
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

PUBLISHED = (
    *(210, 2220, 2250, 1410, 1980, 1860, 420, 1440, 1410, 1470, 2010, 1320, 2100, 2160, 780),
    *(630, 420, 1110, 1200, 210, 360, 330, 390, 510, 270, 1500, 600, 240, 540, 270),
    *(450, 780, 240, 689, 420, 1200, 390, 210, 2070, 300, 360, 240, 240),
)
"""Learning images of each sign in the published collection."""


@register("database", "GTSRB_DIR_Database")
@dataclass(frozen=True, kw_only=True)
class GtsrbDirDatabase(FolderDatabase):
    """GTSRB (Stallkamp, Schlipsing, Salmen and Igel 2012); labels "0" to "42".

    Each image has one region, the sign: with CompositeLabel=Auto the network sees that part of the image. By
    default in $N2D2_DATA/GTSRB: ``Final_Training/Images/<class>/*.ppm`` with ``GT-<class>.csv``,
    ``Final_Test/Images/*.ppm`` and ``GT-final_test.csv``.
    """

    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of the learning stimuli of each label to validate"
    )
    extract_rois: bool = parameter(
        "ExtractROIs", boolean, False, "1: each region is a stimulus, and images without one are left out"
    )

    usual_folder: ClassVar[str] = "GTSRB"

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        content = self.begin(generator)
        training = folder / "Final_Training" / "Images"
        for name in tree.folders_in(training, self.where(), self.remedy()):
            files = tree.files_in(training / name, ("ppm",))
            if not files:
                continue
            tables = [file for file in tree.files_in(training / name, ("csv",)) if Path(file).name.startswith("GT-")]
            if not tables:
                raise DataError(
                    f"there is no file GT-{name}.csv in {training / name}",
                    place=self.where(),
                    expected="GT-<class>.csv beside the images of each class",
                    remedy="unpack GTSRB_Final_Training_Images.zip anew",
                )
            self._add(content, files, [Path(table) for table in tables], training / name, name)
        tree.check_not_empty(len(content), training, "images in Final_Training/Images/<class>/*.ppm", self.where())
        split_per_label(content, 1 - self.validation, self.validation, 0, False, self.place("validation"))
        images = folder / "Final_Test" / "Images"
        files = tree.files_in(images, ("ppm",), self.where(), self.remedy())
        self._add(content, files, [folder / "GT-final_test.csv"], images)
        all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return sum(half_up(count * (1 - self.validation)) for count in PUBLISHED)

    def _add(self, content: Content, files: list[str], tables: list[Path], folder: Path, class_name: str = "") -> None:
        """The images of a folder with their regions, whose label is that of the image."""
        remedy = "GTSRB_Final_Test_GT.zip holds it: put it into the folder of DataPath"
        listed = [region for table in tables for region in regions.read(table, True, self.where(), remedy)]
        for region in listed:
            if class_name.isdecimal() and region.label != str(int(class_name)):
                raise DataError(
                    f"{region.name} is in the folder of class {class_name}, but has the label {region.label}",
                    place=Place(file=str(tables[0])),
                    expected=f"the label {int(class_name)}",
                    remedy="unpack the archive anew: an image is in the wrong folder, or a table is",
                )
        found = regions.match(content, files, listed, lambda name: str(folder / name))
        paths: list[str] = []
        labels: list[str | None] = []
        rois: list[tuple[Roi, ...]] = []
        for file in files:
            regions_of = found.get(file, [])
            if not self.extract_rois and len(regions_of) != 1:
                raise DataError(
                    f"{os.path.basename(file)} has {len(regions_of)} regions",
                    place=Place(file=str(tables[0])),
                    expected="one line for each image: its sign",
                    remedy="ExtractROIs=1 makes a stimulus of each region, and leaves out images without one",
                )
            for roi in regions_of:
                paths.append(file)
                labels.append(content.label_names[roi.label])
                rois.append((roi,))
        content.add_files(paths, labels, rois)
