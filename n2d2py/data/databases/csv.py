"""Tables: a stimulus a row, its label in one column and a number in each other."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from n2d2py.data.content import Content
from n2d2py.data.databases import lines
from n2d2py.data.databases.chained import ChainedDatabase
from n2d2py.data.paths import expand, path
from n2d2py.errors import DataError
from n2d2py.kinds import integer, unsigned, unsigned_real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("database", "CSV_Database")
@dataclass(frozen=True, kw_only=True)
class CsvDatabase(ChainedDatabase):
    """A text file with a stimulus a line: an image of one row, float32, as wide as there are numbers.

    Values stand between commas, semicolons, blanks or tabs, any run of which is one; a label may stand in double
    quotes. Blank lines are left out. All in memory.
    """

    learn: float = parameter("Learn", unsigned_real, 0.6, "share of the stimuli of each label, or their number")
    validation: float = parameter(
        "Validation", unsigned_real, 0.2, "share of the stimuli of each label, or their number, to validate"
    )
    data_path: str = parameter("DataPath", path, REQUIRED, "the file")
    label_column: int = parameter("LabelColumn", integer, -1, "column of the label, from 0; -1 is the last one")
    header_lines: int = parameter("NbHeaderLines", unsigned, 0, "lines at the beginning that are left out")

    inherited: ClassVar[tuple[str, ...]] = ("label_column", "header_lines")

    def load_into(self, content: Content) -> None:
        self.check_plain()
        content.partition.random = self.random_partitioning
        file = expand(self.data_path, self.place("data_path"))
        expected = "a number in each column, but a label in one"
        values, width = array("f"), 0
        rows: list[int] = []
        labels: list[int] = []
        names: dict[str, int] = {}
        for line in lines.read_lines(file, expected, self.where(), skip=self.header_lines):
            tokens = line.tokens()
            if not -len(tokens) <= self.label_column < len(tokens) or len(tokens) < 2:
                raise line.fail(expected, f"{len(tokens)} columns, LabelColumn={self.label_column}")
            label = tokens.pop(self.label_column)
            width = width or len(tokens)
            if len(tokens) != width:
                raise line.fail(expected, f"{len(tokens) + 1} columns, {width + 1} on the lines before")
            try:
                values.extend(map(float, tokens))
            except ValueError:
                for token in tokens:
                    line.number_of(token, expected)
            rows.append(line.number)
            labels.append(names.setdefault(label, len(names)))
        if not rows:
            raise DataError(
                f"there are no stimuli in {file}",
                place=self.where(),
                expected="a stimulus on each line",
                remedy="NbHeaderLines= leaves out lines at the beginning" if self.header_lines else None,
            )
        images = np.frombuffer(values, np.float32).reshape(len(rows), 1, width, 1)
        if not np.isfinite(images).all():
            row = int((~np.isfinite(images)).any(axis=(1, 2, 3)).argmax())
            raise DataError(
                f"a value of line {rows[row]} is not finite",
                place=self.where(),
                expected="numbers that a float32 can hold",
            )
        content.append(images, np.array(labels, np.int64), str(file), list(names), "", rows)
        self.divide(content)
        if self.more is not None:
            self.more.load_into(content)
