"""ImageNet as it was for the challenge of 2012: 1,281,167 photographs of 1,000 classes to learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.frame import IGNORE
from n2d2py.data.partition import half_up
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.errors import DataError
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

PUBLISHED = 1_281_167
"""Learning images of the published collection."""

_CLASS_FILE = "ILSVRC2012/synsets.txt"
_CLASSES = "names of the folders of the classes in the order of their numbers (n01440764 n01443537 ...)"
_PAIRS = "pairs of the name of a file in val and the number of its class, from 0: ILSVRC2012_val_00000001.JPEG 65"


@register("database", "ILSVRC2012_Database")
@dataclass(frozen=True, kw_only=True)
class Ilsvrc2012Database(FolderDatabase):
    """ImageNet 2012 (Russakovsky et al. 2015, arXiv:1409.0575); the folder of a class is its label.

    ``train/<class>/*.JPEG``, ``val/*.JPEG``, ``val.txt`` and ``synsets.txt``, by default in
    $N2D2_DATA/ILSVRC2012. A class without files in train is no label there; its
    images in val then make it the last one.
    """

    learn: float = parameter(
        "Learn", real_between(0, 1), REQUIRED, "share of the images in train to learn; the others are tested with"
    )
    use_validation_for_test: bool = parameter(
        "UseValidationForTest", boolean, True, "1: the validation images are tested with as well"
    )
    background_class: bool = parameter(
        "BackgroundClass", boolean, False, "1: a first label, background, without images: 1001 labels"
    )
    label_path: str = parameter("LabelPath", path, "", "names of the classes; by default ILSVRC2012/synsets.txt")

    usual_folder: ClassVar[str] = "ILSVRC2012"

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        classes = self._classes()
        content = self.begin(generator, ("background",) if self.background_class else ())
        folders = [str(folder / "train" / name) for name in classes]
        _, paths = tree.Listing(IMAGES).tree(folders, 0, self.where(), self._train_remedy(folder))
        found = zip(classes, paths.counts.tolist(), strict=True)
        labels = [content.label_id(name) if count else IGNORE for name, count in found]
        content.add_listed(paths, np.repeat(np.array(labels, np.int64), paths.counts))
        tree.check_not_empty(
            len(content), folder / "train", "images in train/<class>", self.place("data_path"), self.remedy()
        )
        content.partition.split(self.learn, 0, 1 - self.learn, self.place("learn"))
        files, classes_of = self._validation(folder, classes)
        content.add_files(files, classes_of)
        all_to(content, "Validation")
        if self.use_validation_for_test:
            content.add_files(files, classes_of)
            all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * self.learn)

    def _classes(self) -> list[str]:
        file = self.located("label_path", _CLASS_FILE)
        text = lines.read_text(file, _CLASSES, self.place("label_path"), self.remedy("label_path"))
        classes = text.split()
        if not classes:
            raise DataError(f"there are no names of classes in {file}", place=self.place(), expected=_CLASSES)
        return classes

    def _train_remedy(self, folder: Path) -> str:
        if not folder.exists():
            return self.remedy()
        file = self.located("label_path", _CLASS_FILE)
        return f"each word of {file} (LabelPath) is the name of a folder in train: is it a list of those alone?"

    def _validation(self, folder: Path, classes: list[str]) -> tuple[list[str], list[str]]:
        """Paths and labels of the validation images, in the order of val.txt."""
        file = folder / "val.txt"
        there = set(tree.Listing(IMAGES).names(str(folder / "val"), self.place(), self.remedy())[0])
        files, labels = [], []
        for line in lines.read_lines(file, _PAIRS, self.place(), self.remedy()):
            words = line.text.split()
            if len(words) % 2:
                raise line.fail(_PAIRS, f"{len(words)} words")
            for name, number in zip(words[::2], words[1::2], strict=True):
                if not number.isdecimal() or int(number) >= len(classes):
                    raise line.fail(_PAIRS, f"{number} is not the number of one of the {len(classes)} classes")
                if name not in there:
                    raise DataError(
                        f"file {folder / 'val' / name} does not exist",
                        place=line.place,
                        expected="every file that val.txt names",
                        remedy="unpack ILSVRC2012_img_val.tar into the folder val",
                    )
                files.append(str(folder / "val" / name))
                labels.append(classes[int(number)])
        return files, labels
