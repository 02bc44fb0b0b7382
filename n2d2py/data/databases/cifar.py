"""CIFAR-10 and CIFAR-100: 60,000 colour pictures of 32 x 32 pixels, in their binary format.

A record is one or two bytes, the numbers of its labels, then the planes red, green and blue of 1024 bytes each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.databases import lines
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register
from n2d2py.signature import HEAD, known_format

SIDE = 32
PIXELS = 3 * SIDE * SIDE
PUBLISHED = 50_000
"""Learning images of both published collections."""


@dataclass(frozen=True, kw_only=True)
class CifarDatabase(FolderDatabase):
    """Records of labels and an image, in files to learn and to validate with and one to test with.

    Labels have their ids in the order in which they first appear, as in N2D2, and not by their numbers.
    """

    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of the learning stimuli that become the validation set"
    )
    use_test_for_validation: bool = parameter(
        "UseTestForValidation", boolean, False, "1: all learning files are learned, the test file also validates"
    )

    learn_files: ClassVar[tuple[str, ...]] = ()
    test_file: ClassVar[str] = ""
    label_bytes: ClassVar[int] = 1
    """Bytes of a record before its image."""

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        folder = self.folder()
        names_file, column = self.label_names()
        self._check_files(folder, (*self.learn_files, self.test_file, names_file))
        names = read_names(folder / names_file)
        content = self.begin(generator)

        def append(name: str) -> None:
            images, labels = read_records(folder / name, self.label_bytes, column, names)
            content.append(images, labels, str(folder / name), names, ".ppm")

        for name in self.learn_files:
            append(name)
        if self.use_test_for_validation:
            all_to(content, "Learn")
            append(self.test_file)
            all_to(content, "Validation")
        else:
            content.partition.split(1 - self.validation, self.validation, 0, self.place("validation"))
        append(self.test_file)
        all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return PUBLISHED if self.use_test_for_validation else half_up(PUBLISHED * (1 - self.validation))

    def label_names(self) -> tuple[str, int]:
        """The file with the names of the labels, and which byte of a record is the number of one."""
        raise NotImplementedError

    def _check_files(self, folder: Path, names: tuple[str, ...]) -> None:
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            there = folder.exists()
            python = there and any((folder / name.removesuffix(".bin")).is_file() for name in missing)
            raise DataError(
                f"files are missing in {folder}" if there else f"folder {folder} does not exist",
                place=self.place("data_path") or self.place(),
                expected=", ".join(missing),
                remedy="this is the version for Python: get the binary one" if python else self.remedy(),
            )


def read_names(file: Path) -> list[str]:
    """The names of the labels, one a line, in the order of their numbers. Raises :class:`DataError`."""
    expected = "the name of a label on each line"
    names = [line.text for line in lines.read_lines(file, expected)]
    if not names:
        raise DataError("the file has no names of labels", place=Place(file=str(file)), expected=expected)
    return names


def read_records(
    file: Path, label_bytes: int, column: int, names: list[str]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images (count, 32, 32, 3) in blue, green, red of a file, and the number of the label of each.

    Raises :class:`DataError` for a file of another size than whole records have, or with a label without a name.
    """
    size = label_bytes + PIXELS
    content = lines.read_bytes(file, f"records of {size} bytes")
    place = Place(file=str(file))
    if not content or len(content) % size:
        what = known_format(content[:HEAD]) or ("an empty file" if not content else "truncated, or of another format")
        raise DataError(
            f"the file is {what}",
            place=place,
            expected=f"records of {size} bytes; {len(content)} bytes are there",
            remedy="get the file again",
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    labels = records[:, column]
    if labels.max() >= len(names):
        index = int((labels >= len(names)).argmax())
        found = known_format(content[:HEAD])
        raise DataError(
            f"record {index} has the label {labels[index]}, but there are {len(names)} names"
            + (f": the file is {found}" if found else ""),
            place=place,
            expected=f"labels from 0 to {len(names) - 1}",
            remedy="is it the file of this collection, and complete?",
        )
    planes = records[:, label_bytes:].reshape(-1, 3, SIDE, SIDE)[:, ::-1]
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


@register("database", "CIFAR10_Database")
@dataclass(frozen=True, kw_only=True)
class Cifar10Database(CifarDatabase):
    """CIFAR-10 (Krizhevsky 2009): ten classes. By default in $N2D2_DATA/cifar-10-batches-bin."""

    usual_folder: ClassVar[str] = "cifar-10-batches-bin"
    learn_files: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
    test_file: ClassVar[str] = "test_batch.bin"

    def label_names(self) -> tuple[str, int]:
        return "batches.meta.txt", 0


@register("database", "CIFAR100_Database")
@dataclass(frozen=True, kw_only=True)
class Cifar100Database(CifarDatabase):
    """CIFAR-100 (Krizhevsky 2009): a hundred classes in twenty groups. By default in $N2D2_DATA/cifar-100-binary."""

    use_coarse: bool = parameter("UseCoarse", boolean, False, "1: the labels are the twenty groups of classes")

    usual_folder: ClassVar[str] = "cifar-100-binary"
    learn_files: ClassVar[tuple[str, ...]] = ("train.bin",)
    test_file: ClassVar[str] = "test.bin"
    label_bytes: ClassVar[int] = 2

    def label_names(self) -> tuple[str, int]:
        return ("coarse_label_names.txt", 0) if self.use_coarse else ("fine_label_names.txt", 1)
