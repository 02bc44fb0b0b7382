"""IDX files (LeCun's format of MNIST): a magic number, big-endian sizes, then bytes; plain or gzip.

=======  ==================  ==========================================
file     magic               after the magic
=======  ==================  ==========================================
images   ``00 00 08 03``     count, rows, columns, bytes row after row
labels   ``00 00 08 01``     count, one byte a label
=======  ==================  ==========================================

Whether a file is gzip is seen from its content, not from its name. Nothing is written. No more is unpacked
than the header promises, so a small file cannot fill the memory.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from n2d2py.errors import DataError, Place
from n2d2py.signature import HEAD, identify

_GZIP = b"\x1f\x8b"
_GZIP_RATIO = 1032  # the DEFLATE format cannot expand further than this (zlib documentation)
_CHUNK = 1 << 22
_WORDS = {1: "labels (IDX, 1 dimension)", 3: "images (IDX, 3 dimensions)"}
_TYPES = {0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers", 0x0D: "floats", 0x0E: "doubles"}


def find(folder: Path, names: Sequence[str], remedy: str, place: Place | None = None) -> list[Path]:
    """The path of each file of ``names`` in ``folder``, plain if it is there, else ``.gz``.

    Raises :class:`DataError` that names the folder and all files that are missing.
    """
    found, missing = [], []
    for name in names:
        present = [path for path in (folder / name, folder / f"{name}.gz") if path.exists()]
        if present:
            found.append(present[0])
        else:
            missing.append(name)
    if missing:
        what = f"folder {folder} does not exist" if not folder.exists() else f"files are missing in {folder}"
        raise DataError(
            what, place=place, expected=", ".join(f"{name} or {name}.gz" for name in missing), remedy=remedy
        )
    return found


def read_images(path: Path) -> NDArray[np.uint8]:
    """The images of a file: uint8, (count, rows, columns). Raises :class:`DataError`."""
    return _read(path, 3)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """The labels of a file: uint8, (count,). Raises :class:`DataError`."""
    return _read(path, 1)


def read_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images and their labels; raises :class:`DataError` as well if there are not as many of each."""
    pixels, numbers = read_images(images), read_labels(labels)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{len(pixels)} images and {len(numbers)} labels",
            place=Place(file=str(images), chain=(f"labels in {labels}",)),
            expected="as many labels as images",
            remedy="the two files do not belong together: get both anew from one place",
        )
    return pixels, numbers


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    place = Place(file=str(path))
    try:
        with path.open("rb") as raw:
            head = raw.read(HEAD)
            raw.seek(0)
            packed = head.startswith(_GZIP)
            size = path.stat().st_size * (_GZIP_RATIO if packed else 1)
            if packed:
                with gzip.open(raw) as stream:
                    return _parse(stream, size, dimensions, place)
            return _parse(raw, size, dimensions, place)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        cut = isinstance(error, EOFError)
        raise DataError(
            "the gzip file is truncated" if cut else f"the gzip file is damaged ({error})",
            place=place,
            expected=_WORDS[dimensions],
            remedy="the download was not complete: delete the file and get it again" if cut else "get the file again",
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot read the file: {error.strerror or error}", place=place, remedy="check its type and permissions"
        ) from None


def _parse(stream: BinaryIO | gzip.GzipFile, limit: int, dimensions: int, place: Place) -> NDArray[np.uint8]:
    """Read one IDX file; ``limit`` is the most that the file can hold, header included."""
    head = stream.read(4 + 4 * dimensions)
    _check_magic(head, stream, dimensions, place)
    if len(head) < 4 + 4 * dimensions:
        raise _truncated(4 + 4 * dimensions, len(head), dimensions, place)
    shape = struct.unpack(f">{dimensions}I", head[4:])
    wanted = math.prod(shape)
    if wanted > limit:
        raise _truncated(wanted, min(limit, wanted), dimensions, place, exact=False)
    values = np.empty(wanted, np.uint8)
    view, filled = memoryview(values), 0  # type: ignore[arg-type]
    while filled < wanted:
        count = stream.readinto(view[filled : filled + _CHUNK])  # type: ignore[union-attr]
        if not count:
            raise _truncated(wanted, filled, dimensions, place)
        filled += count
    if stream.read(1):
        raise DataError(
            f"the file is longer than its header says ({wanted} bytes after the header, for {_sizes(shape)})",
            place=place,
            expected=_WORDS[dimensions],
            remedy="the file is damaged or not an IDX file: get it again",
        )
    return values.reshape(shape)


def _check_magic(head: bytes, stream: BinaryIO | gzip.GzipFile, dimensions: int, place: Place) -> None:
    expected = bytes((0, 0, 8, dimensions))
    if head[:4] == expected:
        return
    what = identify(head + stream.read(HEAD))
    remedy = "get the file again"
    if what is None and head[:2] == b"\0\0" and len(head) >= 4:
        if head[2] in _TYPES:
            what = f"an IDX file of {_TYPES[head[2]]}"
        elif head[2] == 8:
            what = f"an IDX file of {_WORDS.get(head[3], f'{head[3]} dimensions')}"
            remedy = "were the files of images and labels exchanged?"
    if what is None and len(head) < 4:
        what = f"a file of {len(head)} bytes"
    magic = head[:4].hex(" ")
    raise DataError(
        f"not an IDX file: it is {what}" if what else f"not an IDX file: it begins with {magic}",
        place=place,
        expected=f"{_WORDS[dimensions]}: a file that begins with {expected.hex(' ')}",
        remedy=remedy,
    )


def _truncated(wanted: int, there: int, dimensions: int, place: Place, *, exact: bool = True) -> DataError:
    return DataError(
        f"the file is truncated: {there if exact else f'at most {there}'} of {wanted} bytes are there",
        place=place,
        expected=_WORDS[dimensions],
        remedy="the download was not complete: delete the file and get it again",
    )


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)
