"""Stimuli that are not images: matrices of numbers in text files, and sounds."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.errors import DataError, Place
from n2d2py.signature import HEAD, identify

_SEPARATORS = re.compile(r"[,;\s]+")
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def read_text(content: bytes, path: str) -> NDArray[np.float64]:
    """A matrix: a row a line, values separated by commas, semicolons, blanks or tabs; # begins a comment.

    Raises :class:`DataError` with the line of what is no number, and for rows of different lengths.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(content.decode("latin-1").splitlines(), start=1):
        words = [word for word in _SEPARATORS.split(line.split("#", 1)[0]) if word]
        if not words:
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            what = identify(content[:HEAD])
            raise DataError(
                f"not a matrix of numbers: it is {what}" if what else f"not a matrix of numbers: {error}",
                place=Place(file=path, line=number),
                expected="numbers separated by commas, semicolons or blanks, as many on each line",
                remedy="ValidExtensions= or IgnoreMasks= of the database leave out text files that are no stimuli",
            ) from None
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                f"{len(rows[-1])} values, but {len(rows[0])} on the first line",
                place=Place(file=path, line=number),
                expected="as many values on each line",
            )
    if not rows:
        raise DataError("the file has no numbers", place=Place(file=path), expected="a matrix of numbers")
    return np.array(rows, np.float64)


def read_sound(content: bytes, path: str) -> NDArray[np.float64]:
    """The samples of a WAV file as one row (1, samples), not scaled: PCM of 8 to 32 bits, or 32-bit reals, mono.

    8-bit samples are unsigned, as the format has them (N2D2 reads them as signed).
    """
    place = Place(file=path)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        what = identify(content[:HEAD])
        raise DataError(
            f"not a WAV file: it is {what}" if what else "not a WAV file", place=place, expected="RIFF ... WAVE"
        )
    form: tuple[Any, ...] | None = None
    position = 12
    while position + 8 <= len(content):
        name, length = struct.unpack("<4sI", content[position : position + 8])
        body = content[position + 8 : position + 8 + length]
        if len(body) < length:
            raise DataError(
                f"the WAV file is truncated: {len(body)} of {length} bytes of its part {name.decode('latin-1')!r}",
                place=place,
                remedy="get the file again",
            )
        if name == b"fmt " and length >= 16:
            form = struct.unpack("<HHIIHH", body[:16])
            if form[0] == _EXTENSIBLE and length >= 26:
                form = (int.from_bytes(body[24:26], "little"), *form[1:])
        elif name == b"data" and form is not None:
            return _samples(body, form, place)[np.newaxis]
        position += 8 + length + length % 2
    raise DataError("the WAV file has no samples", place=place, expected="the parts 'fmt ' and 'data'")


def _samples(body: bytes, form: tuple[Any, ...], place: Place) -> NDArray[np.float64]:
    code, tracks, bits = form[0], form[1], form[5]
    if tracks != 1:
        raise DataError(f"the sound has {tracks} tracks", place=place, expected="one: a mono file")
    count = len(body) // max(bits // 8, 1)
    if code == _PCM and bits == 24:
        bytes_ = np.frombuffer(body, np.uint8, 3 * count).reshape(count, 3).astype(np.int32)
        values = bytes_[:, 0] | bytes_[:, 1] << 8 | bytes_[:, 2] << 16
        return (values - ((values & 0x800000) << 1)).astype(np.float64)
    types = {(_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4"}
    if (code, bits) not in types:
        raise DataError(
            f"the sound has {bits} bits a sample in format {code}",
            place=place,
            expected="PCM of 8, 16, 24 or 32 bits, or 32-bit reals",
        )
    return np.frombuffer(body, types[code, bits], count).astype(np.float64)
