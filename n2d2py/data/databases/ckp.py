"""Cohn-Kanade plus: faces that change from no expression to one of seven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from n2d2py import console
from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to, split_per_label
from n2d2py.data.random import Generator
from n2d2py.errors import DataError, Place
from n2d2py.kinds import real_between, unsigned
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
"""Names of the labels in the order of their codes; ids are given at first use."""

_EXPECTED = "the code of the expression, from 0 to 7"


@register("database", "CKP_Database")
@dataclass(frozen=True, kw_only=True)
class CkpDatabase(FolderDatabase):
    """CK+ (Lucey et al. 2010): a folder for each sequence, with its frames and a text file with its expression.

    The first frames of a sequence are neutral, the others show the expression. Sequences without a text file are
    left out. By default in $N2D2_DATA/cohn-kanade-images: ``<subject>/<sequence>/*.png``, ``*.txt``.
    """

    learn: float = parameter("Learn", real_between(0, 1), REQUIRED, "share to learn of the smallest label, for each")
    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share to validate of the smallest label, for each"
    )
    nb_neutral: int = parameter("NbNeutral", unsigned, 1, "frames at the beginning of a sequence that are neutral")

    usual_folder: ClassVar[str] = "cohn-kanade-images"

    def load(self, generator: Generator) -> Content:
        folder = self.folder()
        content = self.begin(generator)
        without = 0
        for level in tree.Listing(("png", "txt")).walk(str(folder), -1, self.where(), self.remedy()):
            frames = [file for file in level.files if file.lower().endswith(".png")]
            texts = [file for file in level.files if file.lower().endswith(".txt")]
            if not frames:
                continue
            if len(texts) > 1:
                raise DataError(
                    f"there are {len(texts)} text files in {level.folder}",
                    place=self.where(),
                    expected=f"one, with {_EXPECTED}",
                )
            if not texts:
                without += 1
                continue
            emotion = EMOTIONS[_code(Path(texts[0]))]
            neutral = min(self.nb_neutral, len(frames))
            content.add_files(frames, [EMOTIONS[0]] * neutral + [emotion] * (len(frames) - neutral))
        if without:
            console.notice(f"{without} sequences without an expression are left out")
        tree.check_not_empty(
            len(content),
            folder,
            "sequences of *.png with a *.txt",
            self.where(),
            "put the files of Emotion beside them",
        )
        rest = max(0.0, 1 - self.learn - self.validation)
        split_per_label(content, self.learn, self.validation, rest, True, self.place("learn"))
        all_to(content, "Test")
        return content


def _code(file: Path) -> int:
    found = [(line, token) for line in lines.read_lines(file, _EXPECTED) for token in line.tokens()]
    if len(found) != 1:
        raise DataError(f"the file has {len(found)} values", place=Place(file=str(file)), expected=_EXPECTED)
    line, token = found[0]
    value = line.number_of(token, _EXPECTED)
    if value != int(value) or not 0 <= value < len(EMOTIONS):
        raise line.fail(_EXPECTED)
    return int(value)
