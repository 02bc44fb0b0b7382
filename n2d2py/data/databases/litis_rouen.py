"""LITIS Rouen: sounds of nineteen places."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import tree
from n2d2py.data.databases.base import FolderDatabase, split_rest
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.errors import DataError
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

PUBLISHED = 3026
"""Recordings of the published collection."""


@register("database", "LITISRouen_Database")
@dataclass(frozen=True, kw_only=True)
class LitisRouenDatabase(FolderDatabase):
    """LITIS Rouen (Rakotomamonjy and Gasso 2015): ``bus12.wav`` has the label ``bus``.

    By default in $N2D2_DATA/data_rouen.
    """

    learn: float = parameter("Learn", real_between(0, 1), 0.4, "share of the recordings to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.4, "share of the recordings to validate")

    usual_folder: ClassVar[str] = "data_rouen"

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        files = tree.files_in(folder, ("wav",), self.where(), self.remedy())
        tree.check_not_empty(len(files), folder, "recordings *.wav", self.where(), self.remedy())
        content = self.begin(generator)
        content.add_files(files, [self._label(file) for file in files])
        split_rest(content, self.learn, self.validation, self.place("learn"))
        return content

    def nominal_size(self) -> int | None:
        return half_up(PUBLISHED * self.learn)

    def _label(self, file: str) -> str:
        stem = os.path.splitext(os.path.basename(file))[0]
        label = re.split(r"\d", stem, maxsplit=1)[0]
        if not label:
            raise DataError(
                f"the name of {file} begins with a digit: it has no label",
                place=self.where(),
                expected="files whose names are a label and a number: bus12.wav",
            )
        return label
