"""Actitracker: what people do, told from the acceleration of the telephones that they carry."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.content import Content
from n2d2py.data.databases import lines
from n2d2py.data.databases.base import FolderDatabase, all_to, split_rest
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, positive, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

LABELS = ("Jogging", "LyingDown", "Sitting", "Stairs", "Standing", "Walking")
PUBLISHED = 2_980_765
"""Labelled rows of the published collection."""

_EXPECTED = "user,activity,timestamp,x,y,z;"
_DAMAGED = 0.01  # the published file has a few rows without values


@register("database", "Actitracker_Database")
@dataclass(frozen=True, kw_only=True)
class ActitrackerDatabase(FolderDatabase):
    """WISDM Actitracker 2.0 (Lockhart et al. 2011): windows of rows of three accelerations, float32.

    A window is an image of 3 x WindowSize values; its label is the one that most of its rows have. By default in
    $N2D2_DATA/WISDM_at_v2.0.
    """

    learn: float = parameter("Learn", real_between(0, 1), 0.6, "share of the windows to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.2, "share of the windows to validate")
    use_unlabeled_for_test: bool = parameter(
        "UseUnlabeledForTest", boolean, False, "1: windows of the file without labels are tested with as well"
    )
    window_size: int = parameter("WindowSize", positive, 90, "rows of a window")
    overlapping: float = parameter(
        "Overlapping", real_between(0, 1, high_open=True), 0.5, "share of a window that the next one has as well"
    )

    usual_folder: ClassVar[str] = "WISDM_at_v2.0"

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        content = self.begin(generator, LABELS)
        self._append(content, "WISDM_at_v2.0_raw.txt")
        split_rest(content, self.learn, self.validation, self.place("learn"))
        if self.use_unlabeled_for_test:
            self._append(content, "WISDM_at_v2.0_unlabeled_raw.txt", labelled=False)
            all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return half_up(self._windows(PUBLISHED) * self.learn)

    @property
    def step(self) -> int:
        """Rows from the beginning of a window to that of the next one: those that they do not share."""
        return max(1, half_up(self.window_size * (1 - self.overlapping)))

    def _windows(self, rows: int) -> int:
        return max(0, (rows - self.window_size) // self.step)

    def _append(self, content: Content, name: str, labelled: bool = True) -> None:
        file = self.folder() / name
        values, activities = read_rows(file, labelled, self)
        count = self._windows(len(values))
        if count == 0:
            raise DataError(
                f"{len(values)} rows are fewer than a window and the step to the next one",
                place=Place(file=str(file)),
                expected=f"more than {self.window_size + self.step - 1} rows: {_EXPECTED}",
            )
        starts = np.arange(count) * self.step
        rows = starts[:, np.newaxis] + np.arange(self.window_size)
        numbers = np.array([most_frequent(activities[row]) for row in rows], np.int64)
        content.append(values[rows][..., np.newaxis], numbers, str(file), LABELS, "")


def most_frequent(labels: NDArray[np.int64]) -> int:
    """The label that occurs most often; of several, the one that was the first to occur as often.

    >>> most_frequent(np.array([1, 0, 0, 1])), most_frequent(np.array([-1, -1]))
    (0, -1)
    """
    counts = np.bincount(labels + 1)
    tied = np.flatnonzero(counts == counts.max()) - 1
    last = [int(np.flatnonzero(labels == label)[-1]) for label in tied]
    return int(tied[int(np.argmin(last))])


def read_rows(file: Path, labelled: bool, database: FolderDatabase) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Accelerations (rows, 3) and the number of the label of each row, -1 without one.

    Rows that cannot be read are left out with a warning; too many of them are a :class:`DataError`.
    """
    values, activities = array("f"), array("q")
    number_of = {name: number for number, name in enumerate(LABELS)}
    damaged: list[lines.Line] = []
    for line in lines.read_lines(file, _EXPECTED, database.place("data_path"), database.remedy()):
        for record in line.text.split(";"):
            if not record.strip(" ,"):
                continue
            fields = record.split(",")
            activity = fields[1].strip() if len(fields) > 1 else ""
            number = number_of.get(activity, -1) if labelled else -1
            if labelled and len(fields) > 1 and number < 0:
                raise line.fail(_EXPECTED, f"{activity!r} is none of {', '.join(LABELS)}")
            acceleration = _acceleration(fields)
            if acceleration is None:
                damaged.append(line)
                continue
            values.extend(acceleration)
            activities.append(number)
    if damaged and len(damaged) > _DAMAGED * len(activities):
        raise damaged[0].fail(_EXPECTED, f"one of {len(damaged)} such lines")
    if damaged:
        console.warning(f"{len(damaged)} unreadable rows are left out, the first one at: {damaged[0].place}")
    return np.array(values, np.float32).reshape(-1, 3), np.array(activities, np.int64)


def _acceleration(fields: list[str]) -> tuple[float, float, float] | None:
    if len(fields) != 6:
        return None
    try:
        x, y, z = float(fields[3]), float(fields[4]), float(fields[5])
    except ValueError:
        return None
    return (x, y, z) if math.isfinite(x + y + z) else None
