"""IMDB-WIKI: photographs of actors and of people of Wikipedia, with their faces, names, ages and sexes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, split_per_label, split_rest
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.rois import Roi, rectangle
from n2d2py.errors import DataError, ParameterError
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

_EXPECTED = "path;name;x0;y0;x1;y1;birth;photo_taken;gender"
_OLDEST = 99


class Face(NamedTuple):
    """A row: the path of an image, the name of its label, and the corners of the face."""

    path: str
    label: str
    corners: tuple[int, int, int, int]


@register("database", "IMDBWIKI_Database")
@dataclass(frozen=True, kw_only=True)
class ImdbWikiDatabase(FolderDatabase):
    """IMDB-WIKI (Rothe, Timofte and Van Gool 2015); the label of a face is sex and age (``M-34``), or the name.

    By default in $N2D2_DATA/IMDB-WIKI: folders ``imdb``, ``wiki``, ``imdb_crop``, ``wiki_crop``, and the tables
    ``imdb_metadata/imdb.csv`` and ``wiki.csv``. Faces whose place is not known are left out.
    Target data (TargetSize=4 1 1) are the borders of the face in whole images, in units of the image's size.
    """

    wiki_set: bool = parameter("WikiSet", boolean, True, "1: the images of Wikipedia")
    imdb_set: bool = parameter("IMDBSet", boolean, False, "1: the images of IMDb, which come before the others")
    crop_frame: bool = parameter(
        "CropFrame", boolean, False, "1: images that are cut to the face, with one label; 0: whole ones, with a region"
    )
    use_name_as_label: bool = parameter("UseNameAsLabel", boolean, False, "1: the name is the label")
    learn: float = parameter("Learn", real_between(0, 1), 1.0, "share of the stimuli to learn")
    validation: float = parameter("Validation", real_between(0, 1), 0.0, "share of the stimuli to validate")
    label_path: str = parameter("LabelPath", path, "", "folder of the tables; by default IMDB-WIKI/imdb_metadata")

    usual_folder: ClassVar[str] = "IMDB-WIKI"

    def load(self, generator: Generator) -> Content:
        sources = [name for name, chosen in (("imdb", self.imdb_set), ("wiki", self.wiki_set)) if chosen]
        if not sources:
            raise ParameterError(
                "neither WikiSet nor IMDBSet is 1: there are no images",
                place=self.place("wiki_set"),
                expected="WikiSet=1, IMDBSet=1 or both",
            )
        content = self.begin(generator)
        content.targets_are_regions = not self.crop_frame
        for source in sources:
            self._add(content, source)
        if self.use_name_as_label:
            rest = max(0.0, 1 - self.learn - self.validation)
            split_per_label(content, self.learn, self.validation, rest, False, self.place("learn"))
        else:
            split_rest(content, self.learn, self.validation, self.place("learn"))
        return content

    def _add(self, content: Content, source: str) -> None:
        folder = self.folder() / (f"{source}_crop" if self.crop_frame else source)
        table = self.located("label_path", "IMDB-WIKI/imdb_metadata") / f"{source}.csv"
        paths: list[str] = []
        labels: list[str | None] = []
        rois: list[tuple[Roi, ...]] = []
        for face in self._faces(table, folder):
            paths.append(face.path)
            if self.crop_frame:
                labels.append(face.label)
                rois.append(())
            else:
                labels.append(None)
                rois.append((rectangle(content.label_id(face.label), *face.corners),))
        tree.check_not_empty(len(paths), folder, f"rows of {table} with a face", self.where())
        content.add_files(paths, labels, rois)

    def _faces(self, table: Path, folder: Path) -> Iterator[Face]:
        present = tree.Present()
        where = self.where("label_path")
        for line in lines.read_lines(table, _EXPECTED, where, self.remedy("label_path")):
            if line.text.startswith("#"):
                continue
            fields = line.text.replace("&amp;", "&").split(";")
            if len(fields) < 9:
                raise line.fail(_EXPECTED, f"{len(fields)} values, at least 9 are expected")
            corners = lines.integers(line, fields[2:6], _EXPECTED)
            if (1, 1) in (tuple(corners[:2]), tuple(corners[2:])):
                continue
            file = str(folder / fields[0].strip())
            if file not in present:
                raise DataError(
                    f"file {file} does not exist",
                    place=line.place,
                    expected="the image of each row",
                    remedy=self.remedy(),
                )
            label = fields[1] if self.use_name_as_label else _sex_and_age(fields[6], fields[7], fields[8])
            yield Face(file, label, (corners[0], corners[1], corners[2], corners[3]))


def _sex_and_age(birth: str, taken: str, gender: str) -> str:
    """``M-34``; what is not known is a question mark.

    >>> _sex_and_age("1970", "2004", "1"), _sex_and_age("1970", "1997.5", "0"), _sex_and_age("", "1997", "NaN")
    ('M-34', 'F-27.5', '?-?')
    """
    age = _number(taken) - _number(birth)
    sex = {0.0: "F", 1.0: "M"}.get(_number(gender), "?")
    return f"{sex}-{age:g}" if 0 <= age <= _OLDEST else f"{sex}-?"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
