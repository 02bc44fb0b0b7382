"""N-MNIST: MNIST as an event camera saw it that moved before a screen, here as pictures of counts of events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register
from n2d2py.signature import HEAD, known_format

SIDE = 34
EVENT = 5  # bytes: column, row, then one bit of polarity and 23 of microseconds
PUBLISHED = 60_000


@register("database", "N_MNIST_Database")
@dataclass(frozen=True, kw_only=True)
class NMnistDatabase(FolderDatabase):
    """N-MNIST (Orchard, Jayawant, Cohen and Thakor 2015): 34 x 34 pixels, two channels, labels "0" to "9".

    N2D2 gives the events one by one to spiking networks. Here a stimulus is how many events darker (channel 0) and
    brighter (channel 1) there are at each pixel, at most 255. ``Train/<digit>/*.bin`` and ``Test/<digit>/*.bin``,
    by default in $N2D2_DATA/N-MNIST.
    """

    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of the learning stimuli that become the validation set"
    )

    usual_folder: ClassVar[str] = "N-MNIST"

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        content = self.begin(generator)
        self._append(content, "Train")
        content.partition.split(1 - self.validation, self.validation, 0, self.place("validation"))
        self._append(content, "Test")
        all_to(content, "Test")
        console.notice("N_MNIST_Database: events are counted for each pixel, their times are not used")
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * (1 - self.validation))

    def _append(self, content: Content, part: str) -> None:
        folder = self.folder() / part
        before = len(content)
        for name in tree.folders_in(folder, self.where(), self.remedy()):
            files = tree.files_in(folder / name, ("bin",))
            if files:
                counts = np.stack([read_counts(Path(file)) for file in files])
                numbers = np.zeros(len(files), np.int64)
                content.append(counts, numbers, str(folder / name), [name], ".bin")
        tree.check_not_empty(len(content) - before, folder, "files <digit>/*.bin", self.where(), self.remedy())


def read_counts(file: Path) -> NDArray[np.uint8]:
    """How many events of each polarity there are at each pixel: (34, 34, 2), at most 255. Raises DataError."""
    expected = f"events of {EVENT} bytes in an image of {SIDE}x{SIDE} pixels"
    content = lines.read_bytes(file, expected)
    place = Place(file=str(file))
    if not content or len(content) % EVENT:
        what = known_format(content[:HEAD]) or ("an empty file" if not content else "truncated")
        raise DataError(f"the file is {what}", place=place, expected=expected, remedy="get the file again")
    events = np.frombuffer(content, np.uint8).reshape(-1, EVENT)
    columns, rows, polarity = events[:, 0].astype(np.int64), events[:, 1].astype(np.int64), events[:, 2] >> 7
    if columns.max() >= SIDE or rows.max() >= SIDE:
        found = known_format(content[:HEAD])
        raise DataError(
            f"the file is {found}" if found else f"an event is at {columns.max()},{rows.max()}, outside of the image",
            place=place,
            expected=expected,
            remedy="get the file again",
        )
    index = (rows * SIDE + columns) * 2 + polarity
    return np.minimum(np.bincount(index, minlength=SIDE * SIDE * 2), 255).astype(np.uint8).reshape(SIDE, SIDE, 2)
