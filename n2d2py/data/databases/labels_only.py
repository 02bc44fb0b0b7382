"""A ``[database]`` section without Type: names of labels, no stimuli."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.databases.lines import read_text
from n2d2py.data.paths import expand, path
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.parameters import REQUIRED, parameter

_EXPECTED = "a text file with one name a line"


@dataclass(frozen=True, kw_only=True)
class LabelsOnly(Database):
    """Names of labels from a text file, one a line: for the inference and the export of a learned network."""

    label_path: str = parameter("LabelPath", path, REQUIRED, "text file with one name a line")

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        file = expand(self.label_path, self.place("label_path"))
        names = read_text(file, _EXPECTED, self.place("label_path")).splitlines()
        if not names:
            raise DataError("the file has no names of labels", place=Place(file=str(file)), expected=_EXPECTED)
        return self.begin(generator, names)
