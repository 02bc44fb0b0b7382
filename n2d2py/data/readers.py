"""Files that are stimuli, read as N2D2 does: the extension says how, and values stay as the file has them.

Images are decoded by OpenCV as they are (``IMREAD_UNCHANGED``): blue, green, red; gray and 16-bit files keep
one channel and their depth; the orientation that a camera notes (EXIF) is not applied. Text files are matrices
of reals, sound files one row of samples.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data import headers, signals
from n2d2py.errors import DataError, Place
from n2d2py.signature import HEAD, identify

IMAGES = frozenset("bmp dib jpeg jpg jpe jp2 png pbm pgm ppm sr ras tiff tif".split())
TEXTS = frozenset(("csv", "dat", "txt"))
SOUNDS = frozenset(("wav",))
EXTENSIONS = IMAGES | TEXTS | SOUNDS
"""Extensions of the files that can be stimuli, in small letters and without the dot."""

MOST_PIXELS = int(os.environ.get("OPENCV_IO_MAX_IMAGE_PIXELS") or 1 << 28)
"""Pixels of the largest image that is decoded; a small file can claim to hold many more."""


def extension(path: str) -> str:
    """What stands behind the last dot of the name of a file, in small letters."""
    return os.path.splitext(path)[1][1:].lower()


def read(path: str) -> NDArray[Any]:
    """The stimulus in a file: (height, width, channels). Raises :class:`DataError` that names the file."""
    kind = extension(path)
    if kind not in EXTENSIONS:
        raise DataError(
            f"files of the extension {kind!r} cannot be stimuli" if kind else "a stimulus without an extension",
            place=Place(file=path),
            expected=f"one of {', '.join(sorted(EXTENSIONS))}",
        )
    try:
        with open(path, "rb", buffering=0) as stream:
            content = stream.read()
    except OSError as error:
        raise DataError(
            f"cannot read the stimulus: {error.strerror or error}",
            place=Place(file=path),
            remedy="was the file moved since the database was loaded?" if not os.path.exists(path) else None,
        ) from None
    if kind in TEXTS:
        return signals.read_text(content, path)[..., np.newaxis]
    if kind in SOUNDS:
        return signals.read_sound(content, path)[..., np.newaxis]
    return _decode(content, path)


def size(path: str) -> tuple[int, int]:
    """(width, height) of the stimulus in a file; of an image from its header, without decoding it."""
    if extension(path) in IMAGES:
        with open(path, "rb") as stream:
            found = headers.look(stream.read(1 << 16))
        if found.size is not None:
            return found.size
    image = read(path)
    return image.shape[1], image.shape[0]


def _decode(content: bytes, path: str) -> NDArray[Any]:
    import cv2

    header = headers.look(content)
    if header.size is not None and header.size[0] * header.size[1] > MOST_PIXELS:
        raise DataError(
            f"the image claims to have {header.size[0]}x{header.size[1]} pixels, in a file of {len(content)} bytes",
            place=Place(file=path),
            expected=f"at most {MOST_PIXELS} pixels",
            remedy="if the file is sound: set the environment variable OPENCV_IO_MAX_IMAGE_PIXELS",
        )
    if header.end is not None and content.rfind(header.end, header.start) < 0:
        raise DataError(
            "the image is truncated: its end is missing",
            place=Place(file=path),
            remedy="get the file again, or remove it; -on-bad-stimulus skip goes on without it",
        )
    image = None
    if content:
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            image = None
    if image is None:
        what = identify(content[:HEAD]) if header.end is None else None
        raise DataError(
            f"not an image that can be decoded: it is {what}" if what else "the image cannot be decoded",
            place=Place(file=path),
            expected="an image of one of the formats that OpenCV reads",
            remedy="the file is damaged: get it again, or remove it; -on-bad-stimulus skip goes on without it",
        )
    return image if image.ndim == 3 else image[..., np.newaxis]
