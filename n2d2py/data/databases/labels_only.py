"""A ``[database]`` section without Type: names of labels, no stimuli."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.paths import expand, path
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.parameters import REQUIRED, parameter


@dataclass(frozen=True, kw_only=True)
class LabelsOnly(Database):
    """Names of labels from a text file, one a line: for the inference and the export of a learned network."""

    label_path: str = parameter("LabelPath", path, REQUIRED, "text file with one name a line")

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        file = expand(self.label_path, self.place("label_path"))
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"cannot read the names of labels from {file}: {getattr(error, 'strerror', None) or error}",
                place=self.place("label_path"),
                expected="a text file with one name a line",
            ) from None
        if not lines:
            raise DataError(
                "the file has no names of labels",
                place=Place(file=str(file)),
                expected="a text file with one name a line",
            )
        return Content(generator, self.random_partitioning, lines)
