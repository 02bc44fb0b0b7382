"""Small data sets in the form in which the real ones are published, and documents that read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from n2d2py import ini
from n2d2py.data.content import Content
from n2d2py.data.random import Generator
from n2d2py.data.source import Source, read_database
from n2d2py.errors import N2d2Error

SETS = ("Learn", "Validation", "Test")
HTML = "<!DOCTYPE html><html><body>404 Not Found</body></html>"


def load(text: str, seed: int = 42) -> Content:
    """The content of the database that the text of an INI file describes."""
    return Source(ini.loads(f"{text}\n[sp]\nSizeX=1\nSizeY=1\n", file="net.ini"), Generator(seed)).content


def refused(text: str, *words: str, kind: type[N2d2Error] = N2d2Error) -> str:
    """The error of loading, which must have all of ``words``."""
    with pytest.raises(kind) as error:
        load(text)
    for word in words:
        assert word in str(error.value)
    return str(error.value)


def nominal(text: str) -> int | None:
    """The learning stimuli of the published collection, for the text of a [database] section."""
    database = read_database(ini.loads(text, file="net.ini"))
    assert database is not None
    return database.nominal_size()


def sizes(content: Content) -> list[int]:
    """Stimuli in each of the three sets."""
    return [content.size(name) for name in SETS]


def names(content: Content, set_name: str, root: Path | None = None) -> list[str]:
    """Names of the stimuli of a set, below ``root``."""
    found = [content.name(stimulus) for stimulus in content.ids(set_name).tolist()]
    return [str(Path(name).relative_to(root)) if root else name for name in found]


def labels(content: Content, set_name: str) -> list[str | None]:
    """Names of the labels of the stimuli of a set; None for -1."""
    found = content.labels[content.ids(set_name)].tolist()
    return [content.label_names[label] if label >= 0 else None for label in found]


def boxes(content: Content, stimulus: int) -> list[tuple[str | None, tuple[int, int, int, int]]]:
    """The label and the box of each region of a stimulus."""
    return [
        (content.label_names[roi.label] if roi.label >= 0 else None, roi.box())
        for roi in content.rois.get(stimulus, ())
    ]


def image(file: Path, value: int = 0, width: int = 8, height: int = 6, gray: bool = False) -> Path:
    """An image of one value; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((height, width) if gray or file.suffix == ".pgm" else (height, width, 3), value, np.uint8)
    assert cv2.imwrite(str(file), pixels)
    return file


def images(folder: Path, files: Iterable[str], **options: int) -> Path:
    """Images in a folder; the value of each is its number."""
    for number, name in enumerate(files):
        image(folder / name, number, **options)  # type: ignore[arg-type]
    return folder


def text(file: Path, content: str) -> Path:
    """A text file; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def empty_files(folder: Path, count: int, ending: str = "png") -> None:
    """Files of which only the names count."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:04d}.{ending}").touch()


def listing(root: Path) -> dict[str, int]:
    """Every file below a folder with its time of change, to see that nothing is written."""
    return {str(item): item.stat().st_mtime_ns for item in sorted(root.rglob("*"))}
