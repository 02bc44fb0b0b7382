"""Arrays of NumPy: images and labels in ``.npz`` or ``.npy`` files, mapped into memory and read as they are used."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.databases import lines
from n2d2py.data.databases.base import Database, all_to
from n2d2py.data.paths import expand, path
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.kinds import real_between, word
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register
from n2d2py.signature import HEAD, identify

DEPTHS = ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")
"""Types that images can have."""

_ZIP, _NPY = b"PK\x03\x04", b"\x93NUMPY"
_DEFLATE_RATIO = 1032  # the DEFLATE format cannot expand further than this (zlib documentation)
_LOCAL_HEADER = 30  # bytes of a ZIP entry before its name
_IMAGES = f"images: (count, height, width) or (count, height, width, channels), {', '.join(DEPTHS)}"


@register("database", "Numpy_Database")
@dataclass(frozen=True, kw_only=True)
class NumpyDatabase(Database):
    """Images and labels in arrays: a ``.npz`` file, or a folder of ``.npy`` files. Not a database of N2D2.

    Images are (count, height, width) or (count, height, width, channels) and stay as they are: three channels are
    blue, green, red if the transformations are to know. Labels are (count) or (count, 1): integers, whose names
    are the lines of LabelPath or else their decimal numbers, or texts, which are names; -1 is no label. Labels
    get their ids at first use, those of LabelPath in its order.
    """

    data_path: str = parameter("DataPath", path, REQUIRED, "a .npz file, or a folder of .npy files")
    learn_images: str = parameter("LearnImages", word, "x_train", "array of the images to learn and to validate")
    learn_labels: str = parameter("LearnLabels", word, "y_train", "array of their labels")
    test_images: str = parameter("TestImages", word, "x_test", "array of the images to test; it may be missing")
    test_labels: str = parameter("TestLabels", word, "y_test", "array of their labels")
    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of the learning images to validate")
    test: float = parameter("Test", real_between(0, 1), 0.0, "share of the learning images to test")
    label_path: str = parameter("LabelPath", path, "", "text file with the name of a label on each line")

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        file = expand(self.data_path, self.place("data_path"))
        arrays = Arrays(file, self.place("data_path"))
        names = self._names()
        content = self.begin(generator, names or ())
        self._append(content, arrays, self.learn_images, self.learn_labels, names)
        learn = max(0.0, 1 - self.validation - self.test)
        content.partition.split(learn, self.validation, self.test, self.place("validation"))
        if self.test_images in arrays:
            self._append(content, arrays, self.test_images, self.test_labels, names)
            all_to(content, "Test")
        return content

    def _names(self) -> list[str] | None:
        if not self.label_path:
            return None
        file = expand(self.label_path, self.place("label_path"))
        return [line.text for line in lines.read_lines(file, "one name a line", self.place("label_path"))]

    def _append(self, content: Content, arrays: Arrays, images: str, labels: str, names: list[str] | None) -> None:
        pixels, found = arrays[images], arrays[labels]
        place = arrays.place_of(images)
        if pixels.ndim not in (3, 4) or pixels.dtype.name not in DEPTHS:
            raise DataError(f"array {images} is {_words(pixels)}", place=place, expected=_IMAGES)
        if found.ndim == 2 and found.shape[1] == 1:
            found = found[:, 0]
        if found.ndim != 1 or found.dtype.kind not in "iuUS":
            raise DataError(
                f"array {labels} is {_words(found)}",
                place=arrays.place_of(labels),
                expected="labels: (count) or (count, 1), integers or texts",
            )
        if len(found) != len(pixels):
            raise DataError(
                f"{len(pixels)} images in {images} and {len(found)} labels in {labels}",
                place=place,
                expected="as many labels as images",
            )
        if found.dtype.kind in "US":
            words, numbers = np.unique(found, return_inverse=True)
            known = [word.decode() if isinstance(word, bytes) else str(word) for word in words.tolist()]
            content.append(pixels, numbers.astype(np.int64), f"{arrays.file}/{images}", known, "")
            return
        numbers = found.astype(np.int64)
        limit = len(names) if names is not None else None
        if len(numbers) and (numbers.min() < -1 or (limit is not None and numbers.max() >= limit)):
            raise DataError(
                f"array {labels} has labels from {numbers.min()} to {numbers.max()}",
                place=arrays.place_of(labels),
                expected="labels of at least 0, or -1 for none" if limit is None else f"labels from -1 to {limit - 1}",
                remedy=None if limit is None else f"{self.label_path} has {limit} names",
            )
        content.append(pixels, numbers, f"{arrays.file}/{images}", names, "")


class Arrays:
    """The arrays of a ``.npz`` file or of a folder, by name; what is not packed is mapped, not read."""

    def __init__(self, file: Path, place: Place | None = None) -> None:
        self.file = file
        self._place = place
        if not file.exists():
            raise DataError(
                f"{file} does not exist", place=place, expected="a .npz file, or a folder of .npy files",
                remedy="DataPath= names it: check its spelling",
            )  # fmt: skip
        self._members = {} if file.is_dir() else _members(file)

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._members or (self.file / f"{name}.npy").is_file()

    def place_of(self, name: str) -> Place:
        """Where an array stands."""
        inside = self.file.is_dir()
        return Place(file=str(self.file / f"{name}.npy" if inside else self.file), key=None if inside else name)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """An array. Raises :class:`DataError` if it is not there, damaged, or holds objects."""
        if name not in self:
            there = sorted(self._members or (item.name for item in self.file.glob("*.npy")))
            raise DataError(
                f"there is no array {name} in {self.file}",
                place=self._place,
                expected=f"one of {', '.join(item.removesuffix('.npy') for item in there)}" if there else "arrays",
                remedy="LearnImages, LearnLabels, TestImages and TestLabels name the arrays",
            )
        place = self.place_of(name)
        try:
            if self.file.is_dir():
                return _mapped(self.file / f"{name}.npy", 0, None, place)
            return self._from_zip(self._members[f"{name}.npy"], place)
        except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise _damaged(place, str(error)) from None

    def _from_zip(self, member: zipfile.ZipInfo, place: Place) -> NDArray[Any]:
        with self.file.open("rb") as raw:
            raw.seek(member.header_offset)
            header = raw.read(_LOCAL_HEADER)
        if member.compress_type == zipfile.ZIP_STORED:
            # The two lengths of a local header that a central one does not have.
            name, extra = struct.unpack("<HH", header[26:30])
            start = member.header_offset + _LOCAL_HEADER + name + extra
            return _mapped(self.file, start, member.file_size, place)
        with zipfile.ZipFile(self.file) as archive, archive.open(member) as stream:
            shape, fortran, dtype = _header(stream, place)
            wanted = _bytes(shape, dtype)
            if wanted > member.compress_size * _DEFLATE_RATIO or wanted > member.file_size:
                raise _damaged(place, f"its header promises {wanted} bytes, more than the file can hold")
            values = np.empty(wanted, np.uint8)
            view, filled = memoryview(values), 0  # type: ignore[arg-type]
            while filled < wanted:
                count = stream.readinto(view[filled:])  # type: ignore[attr-defined]
                if not count:
                    raise _damaged(place, f"{filled} of {wanted} bytes are there")
                filled += count
        return values.view(dtype).reshape(shape, order="F" if fortran else "C")


def _members(file: Path) -> dict[str, zipfile.ZipInfo]:
    place = Place(file=str(file))
    try:
        with file.open("rb") as raw:
            head = raw.read(HEAD)
        if not head.startswith(_ZIP):
            what = "a .npy file: DataPath names the folder of such files" if head.startswith(_NPY) else identify(head)
            raise DataError(
                f"not a .npz file: it is {what}" if what else "not a .npz file", place=place, expected="arrays of NumPy"
            )
        with zipfile.ZipFile(file) as archive:
            return {member.filename: member for member in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(place, str(error)) from None


def _mapped(file: Path, start: int, size: int | None, place: Place) -> NDArray[Any]:
    """The array that begins at an offset of a file, mapped into memory for reading."""
    with file.open("rb") as raw:
        head = raw.read(HEAD)
        raw.seek(start)
        if start == 0 and not head.startswith(_NPY):
            what = identify(head)
            raise DataError(
                f"not a .npy file: it is {what}" if what else "not a .npy file",
                place=place,
                expected="an array of NumPy",
            )
        shape, fortran, dtype = _header(raw, place)
        offset = raw.tell()
    end = file.stat().st_size if size is None else start + size
    wanted = _bytes(shape, dtype)
    if offset + wanted > end:
        raise _damaged(place, f"{max(0, end - offset)} of {wanted} bytes are there")
    if wanted == 0:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", offset, shape, "F" if fortran else "C")


def _header(stream: Any, place: Place) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject:
        raise DataError(
            "the array holds Python objects, which are never loaded: they could run any program",
            place=place,
            expected="numbers or texts of a fixed length",
            remedy="save it again with a type such as uint8 or U20",
        )
    return shape, fortran, dtype


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    size = dtype.itemsize
    for length in shape:
        size *= length
    return size


def _words(array: NDArray[Any]) -> str:
    return f"{array.dtype.name} of shape {array.shape}"


def _damaged(place: Place, why: str) -> DataError:
    return DataError(
        f"the array is damaged or truncated: {why}", place=place, expected="an array of NumPy", remedy="save it again"
    )
