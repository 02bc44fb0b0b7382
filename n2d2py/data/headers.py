"""What the header of an image file says, before anything is decoded: its size, and how the file must end.

A few bytes are looked at, so this costs next to nothing beside decoding; formats that are rare are left to Pillow,
which does not decode either.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))  # markers of JPEG that stand alone
_NO_FRAME = frozenset((0xC4, 0xC8, 0xCC))  # among 0xC0 to 0xCF: tables, not the frame header


@dataclass(frozen=True)
class Header:
    """``size``: (width, height); ``end``: what must follow behind byte ``start``. None where it is not known."""

    size: tuple[int, int] | None = None
    end: bytes | None = None
    start: int = 0


def look(content: bytes) -> Header:
    """The header of an image file, of which ``content`` holds the beginning at least."""
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return Header(struct.unpack(">II", content[16:24]), b"IEND", 24)
    if content.startswith(b"BM") and len(content) >= 26:
        width, height = struct.unpack("<ii", content[18:26])
        return Header((abs(width), abs(height)))
    return _other(content)


def _jpeg(content: bytes) -> Header:
    """Markers one after the other, up to the scan: behind it the end marker cannot occur in the data by chance."""
    size, position = None, 2
    while position + 4 <= len(content):
        if content[position] != 0xFF:
            break
        marker = content[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        if marker in _NO_LENGTH:
            position += 2
            continue
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME and position + 9 <= len(content):
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            size = (width, height)
        position += 2 + length
        if marker == 0xDA:
            break
    return Header(size, b"\xff\xd9", min(position, len(content)))


def _other(content: bytes) -> Header:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warning of large images: they are judged by the caller
            with Image.open(io.BytesIO(content)) as image:
                return Header(image.size)
    except Image.DecompressionBombError as error:
        # Pillow refuses twice its limit; the message holds the number of pixels.
        pixels = [int(word.strip("()")) for word in str(error).split() if word.strip("()").isdigit()]
        return Header((max(pixels, default=1 << 62), 1))
    except Exception:
        return Header()
