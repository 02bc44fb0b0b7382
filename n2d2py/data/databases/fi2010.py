"""FI-2010: ten days of limit order books of five stocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.content import Content
from n2d2py.data.databases.base import FolderDatabase, assign
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, ParameterError, Place
from n2d2py.kinds import boolean, integer, list_of, one_of, positive, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register
from n2d2py.signature import HEAD, identify

ROWS, FEATURES = 149, 144
"""Rows of a file; those of features, before the rows of labels."""
HORIZONS = ("10", "20", "30", "50", "100")
"""Events after which the movement of the price is labelled, a row each."""
LABELS = ("0", "1", "2")
"""The numbers 1, 2, 3 of the files, less one: up, stationary, down."""


@register("database", "FI2010_Database")
@dataclass(frozen=True, kw_only=True)
class FI2010Database(FolderDatabase):
    """FI-2010 (Ntakaris et al. 2018, arXiv:1705.03233): windows of events of limit order books. Not one of N2D2.

    A file has 149 rows: 144 features, and the labels 1, 2, 3 for five horizons; its columns are the events. A stimulus
    is WindowSize events (height) of the first Features features (width), with the label of its last event. The folds
    of a set are put one behind the other; the last events of those to learn validate. By default in $N2D2_DATA/FI2010,
    where the files may lie in any folders.
    """

    normalization: str = parameter(
        "Normalization", one_of("ZScore", "DecPre", "MinMax"), "ZScore", "files that were normalised in this way"
    )
    auction: bool = parameter("Auction", boolean, False, "1: the files with the events of auctions")
    horizon: str = parameter("Horizon", one_of(*HORIZONS), "100", "events to the movement that is foretold")
    window_size: int = parameter("WindowSize", positive, 100, "events of a stimulus")
    features: int = parameter("Features", positive, 40, "features of an event; the first 40 are prices and volumes")
    learn_folds: tuple[int, ...] = parameter("LearnFolds", list_of(integer), (7,), "numbers of the files to learn")
    test_folds: tuple[int, ...] = parameter("TestFolds", list_of(integer), (7, 8, 9), "numbers of the files to test")
    validation: float = parameter(
        "Validation",
        real_between(0, 1, high_open=True),
        0.2,
        "share of the events to learn, the last ones, to validate",
    )

    usual_folder: ClassVar[str] = "FI2010"

    def __post_init__(self) -> None:
        if self.features > FEATURES:
            raise ParameterError(
                f"Features={self.features}", place=self.place("features"), expected=f"at most {FEATURES}"
            )

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        content = self.begin(generator, LABELS)
        events, labels = self._read("Train", self.learn_folds)
        kept = int(len(labels) * (1 - self.validation))
        for name, part in (("Learn", slice(None, kept)), ("Validation", slice(kept, None))):
            if kept < len(labels) or name == "Learn":
                self._append(content, events[part], labels[part], name)
        if self.test_folds:
            self._append(content, *self._read("Test", self.test_folds), "Test")
        return content

    def _append(self, content: Content, events: NDArray[np.float32], labels: NDArray[np.int64], name: str) -> None:
        count = len(events) - self.window_size + 1
        if count < 1:
            raise DataError(
                f"there are {len(events)} events for the set {name}, fewer than a window",
                place=self.where(),
                expected=f"at least WindowSize={self.window_size} events",
            )
        # A view: every event is in memory once.
        windows = np.lib.stride_tricks.sliding_window_view(events, self.window_size, axis=0).transpose(0, 2, 1)
        content.append(windows, labels[self.window_size - 1 :], f"{self.folder()}/{name}", LABELS, "")
        assign(content, [name] * count)

    def _read(self, name: str, folds: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Events (count, features) and labels (count) of files, one behind the other."""
        parts = [read_file(self._file(name, fold), self.features, HORIZONS.index(self.horizon)) for fold in folds]
        if not parts:
            raise DataError(f"there are no files of the set {name}", place=self.where(), expected="LearnFolds=7")
        return np.concatenate([events for events, _ in parts]), np.concatenate([labels for _, labels in parts])

    def _file(self, name: str, fold: int) -> Path:
        wanted = f"{name}_Dst_{'Auction' if self.auction else 'NoAuction'}_{self.normalization}_CF_{fold}.txt"
        folder = self.folder()
        found = sorted(folder.rglob(wanted))
        if not found:
            there = folder.exists()
            raise DataError(
                f"there is no {wanted} in {folder}" if there else f"folder {folder} does not exist",
                place=self.where(),
                expected=f"the files {name}_Dst_..._CF_{fold}.txt of the published collection",
                remedy=self.remedy(),
            )
        return found[0]


def read_file(file: Path, features: int, horizon: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Events (count, features) and the labels 0, 1, 2 of the horizon of this index."""
    rows: list[NDArray[np.float32]] = []
    labels = np.empty(0, np.float32)
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            words = line.split()
            if not words:
                continue
            place = Place(file=str(file), line=number)
            if number > ROWS:
                raise DataError("there are too many rows", place=place, expected=f"{ROWS} rows")
            is_label = number == FEATURES + 1 + horizon
            if number > features and not is_label:
                continue
            try:
                row = np.array(words, np.float32)
            except ValueError as error:
                what = identify(line[:HEAD])
                raise DataError(
                    f"not a file of FI-2010: it is {what}" if what else f"not a row of numbers: {error}",
                    place=place,
                    expected="numbers separated by blanks",
                ) from None
            if rows and len(row) != len(rows[0]):
                raise DataError(
                    f"{len(row)} columns, {len(rows[0])} on the first row", place=place, expected="an event a column"
                )
            if not np.isfinite(row).all():
                raise DataError("a value is not finite", place=place, expected="numbers that a float32 can hold")
            if is_label:
                labels = row
                if not np.isin(row, (1, 2, 3)).all():
                    raise DataError("a label is none of 1, 2, 3", place=place, expected="the labels 1, 2 and 3")
            else:
                rows.append(row)
    if len(rows) != features or not len(labels):
        raise DataError(
            f"{file} has too few rows", place=Place(file=str(file)), expected=f"{ROWS} rows: features, then labels"
        )
    return np.ascontiguousarray(np.stack(rows, 1)), labels.astype(np.int64) - 1
