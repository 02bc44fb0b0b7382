"""OpenCV, imported when the first image needs it."""

from __future__ import annotations

from typing import Any

from n2d2py.errors import DataError
from n2d2py.parameters import Record


def opencv(needed_by: Record) -> Any:
    """The module ``cv2``. Raises :class:`DataError`, at the place of the record that needs it, if there is none."""
    try:
        import cv2
    except ImportError:
        raise DataError(
            f"{type(needed_by).__name__} needs OpenCV, which is not installed",
            place=needed_by.place(),
            remedy="pip install opencv-python-headless",
        ) from None
    return cv2
