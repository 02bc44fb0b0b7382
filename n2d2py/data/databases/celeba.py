"""CelebA: 202,599 photographs of 10,177 known people."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to, assign, split_per_label
from n2d2py.data.partition import SETS
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.readers import IMAGES
from n2d2py.data.rois import Roi, rectangle
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import check_available, parameter
from n2d2py.registry import register

_Value = TypeVar("_Value")

PUBLISHED = 162_770
"""Learning images of the official division."""


@register("database", "CelebA_Database")
@dataclass(frozen=True, kw_only=True)
class CelebADatabase(FolderDatabase):
    """CelebA (Liu, Luo, Wang and Tang 2015); the number of the person is the label, in the order of the numbers.

    ``img_celeba`` (InTheWild, each with the box of the face as its region) or ``img_align_celeba`` in
    $N2D2_DATA/CelebA/Img, and ``identity_CelebA.txt`` and ``list_bbox_celeba.txt`` in CelebA/Anno.
    """

    in_the_wild: bool = parameter("InTheWild", boolean, True, "1: whole photographs; 0: faces cut and aligned")
    with_landmarks: bool = parameter("WithLandmarks", boolean, False, "1: places of eyes, nose and mouth as regions")
    with_partitioning: bool = parameter(
        "WithPartitioning", boolean, True, "1: the official division (Eval/list_eval_partition.txt); 0: for each label"
    )
    learn: float = parameter("Learn", real_between(0, 1), 1.0, "share of each label to learn (WithPartitioning=0)")
    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of each label to validate (WithPartitioning=0)"
    )
    label_path: str = parameter("LabelPath", path, "", "folder of the lists; by default CelebA/Anno")

    usual_folder: ClassVar[str] = "CelebA/Img"

    def load(self, generator: Generator) -> Content:
        check_available(self, "with_landmarks")
        folder = self.folder() / ("img_celeba" if self.in_the_wild else "img_align_celeba")
        lists = self.located("label_path", "CelebA/Anno")
        files = tree.files_in(folder, IMAGES, self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "images *.jpg", self.where(), self.remedy())
        identities = self._identities(lists / "identity_CelebA.txt")
        names = [_of(identities, file, lists / "identity_CelebA.txt") for file in files]
        content = self.begin(generator, [str(number) for number in sorted(set(names))])
        rois: list[tuple[Roi, ...]] = [()] * len(files)
        if self.in_the_wild:
            boxes = self._boxes(lists / "list_bbox_celeba.txt")
            for index, (file, name) in enumerate(zip(files, names, strict=True)):
                left, top, width, height = _of(boxes, file, lists / "list_bbox_celeba.txt")
                rois[index] = (rectangle(content.label_id(str(name)), left, top, left + width, top + height),)
        content.add_files(files, [str(name) for name in names], rois)
        if self.with_partitioning:
            division = lists.parent / "Eval" / "list_eval_partition.txt"
            parts = self._division(division)
            assign(content, [SETS[_of(parts, file, division)] for file in files])
        else:
            rest = max(0.0, 1 - self.learn - self.validation)
            split_per_label(content, self.learn, self.validation, rest, False, self.place("learn"))
            all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return PUBLISHED if self.with_partitioning else None

    def _identities(self, file: Path) -> dict[str, int]:
        expected = "000001.jpg 2880: an image and the number of a person"
        rows = lines.records(file, 2, expected, self.where("label_path"), self.remedy("label_path"))
        return {tokens[0]: line.integer_of(tokens[1], expected) for line, tokens in rows}

    def _boxes(self, file: Path) -> dict[str, tuple[int, int, int, int]]:
        expected = "after two lines of heading 000001.jpg 95 71 226 313: left, top, width and height"
        rows = lines.records(file, 5, expected, self.where("label_path"), self.remedy("label_path"), skip=2)
        boxes = {}
        for line, tokens in rows:
            left, top, width, height = lines.integers(line, tokens[1:], expected)
            boxes[tokens[0]] = (left, top, width, height)
        return boxes

    def _division(self, file: Path) -> dict[str, int]:
        expected = "000001.jpg 0: an image and 0 to learn, 1 to validate, 2 to test"
        remedy = "WithPartitioning=0 divides without this file"
        parts = {}
        for line, tokens in lines.records(file, 2, expected, self.where("label_path"), remedy):
            if tokens[1] not in ("0", "1", "2"):
                raise line.fail(expected)
            parts[tokens[0]] = int(tokens[1])
        return parts


def _of(table: dict[str, _Value], file: str, source: Path) -> _Value:
    """What a list says of the image in a file."""
    name = os.path.basename(file)
    if name not in table:
        raise DataError(
            f"there is no line for {name}",
            place=Place(file=str(source)),
            expected="a line for each image",
            remedy="do the images and the lists belong together, and are they complete?",
        )
    return table[name]
