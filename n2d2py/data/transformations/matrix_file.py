"""Images as operands: an image file, or N2D2's ``.bin`` file of a mean or a standard deviation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.transformations.opencv import opencv
from n2d2py.errors import DataError, Place
from n2d2py.parameters import Record

_DEPTHS = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32, np.float64)  # in the order of their codes
_HEADER = 12  # bytes: rows, columns and type, int32 each
_CODES = 8  # codes of depths; type = code + 8 (channels - 1)


def read_matrix(file: Path, needed_by: Record, field: str) -> NDArray[Any]:
    """The image of a file, (height, width, channels). Raises :class:`DataError` if it is not one."""
    place = needed_by.place(field)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the image {file}: {error.strerror or error}", place=place) from None
    if file.suffix == ".bin":
        return _parse(content, file, place)
    cv2 = opencv(needed_by)
    image = None
    if content:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DataError(f"{file} is not an image", place=place, expected="an image file, or a .bin file of N2D2")
    return image if image.ndim == 3 else image[..., np.newaxis]


def _parse(content: bytes, file: Path, place: Place | None) -> NDArray[Any]:
    """rows, columns and type (int32), then the values row after row, all little-endian."""
    expected = "int32 rows, columns and OpenCV type, then the values"
    if len(content) < _HEADER:
        raise DataError(f"{file} has {len(content)} bytes, too few for a header", place=place, expected=expected)
    rows, columns, kind = (int(number) for number in np.frombuffer(content, "<i4", 3))
    code, channels = kind % _CODES, kind // _CODES + 1
    if rows < 1 or columns < 1 or kind < 0 or code >= len(_DEPTHS):
        raise DataError(
            f"{file} does not begin with the header of an image: rows {rows}, columns {columns}, type {kind}",
            place=place,
            expected=expected,
        )
    dtype = np.dtype(_DEPTHS[code])
    size = _HEADER + rows * columns * channels * dtype.itemsize
    if len(content) != size:
        raise DataError(
            f"{file} has {len(content)} bytes, but an image of {columns}x{rows}x{channels} needs {size}",
            place=place,
            expected=expected,
        )
    values = np.frombuffer(content, dtype.newbyteorder("<"), offset=_HEADER).astype(dtype)
    return values.reshape(rows, columns, channels)
