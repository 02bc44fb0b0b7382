"""Cityscapes: streets of fifty towns, with the outlines of all that is in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from n2d2py.data.content import Content
from n2d2py.data.databases import lines, tree
from n2d2py.data.databases.base import FolderDatabase, all_to
from n2d2py.data.paths import path
from n2d2py.data.random import Generator
from n2d2py.data.rois import Polygon, Roi
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean
from n2d2py.parameters import parameter
from n2d2py.registry import register

LABELS = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road"),
    *("sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole"),
    *("polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car"),
    *("truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle", "license plate"),
)
"""Names of the labels in the order of their official numbers, the one of number -1 last."""

PUBLISHED, PUBLISHED_EXTRA = 2975, 19_998
_IMAGE = "_leftImg8bit.png"
_EXPECTED = 'the outlines of an image: {"objects": [{"label": "road", "polygon": [[0, 769], ...]}, ...]}'


@register("database", "Cityscapes_Database")
@dataclass(frozen=True, kw_only=True)
class CityscapesDatabase(FolderDatabase):
    """Cityscapes (Cordts et al. 2016, arXiv:1604.01685): images with a label a pixel, painted from outlines.

    ``{train,val,test}/<town>/*_leftImg8bit.png``, by default in $N2D2_DATA/Cityscapes/leftImg8bit or in
    $CITYSCAPES_DATASET; outlines in gtFine or gtCoarse beside that folder.
    """

    inc_train_extra: bool = parameter(
        "IncTrainExtra", boolean, False, "1: with the images of train_extra, which have coarse outlines only"
    )
    use_coarse: bool = parameter("UseCoarse", boolean, False, "1: coarse outlines")
    single_instance_labels: bool = parameter(
        "SingleInstanceLabels", boolean, True, "1: cargroup is car; a label of that name is left as it is (polegroup)"
    )
    label_path: str = parameter("LabelPath", path, "", "folder of the outlines; by default gtFine or gtCoarse")

    usual_folder: ClassVar[str] = "Cityscapes/leftImg8bit"

    def folder(self) -> Path:
        """DataPath, else $CITYSCAPES_DATASET, else below $N2D2_DATA."""
        root = os.environ.get("CITYSCAPES_DATASET")
        if self.data_path or not root:
            return super().folder()
        inside = Path(root, "leftImg8bit")
        return inside if inside.is_dir() else Path(root)

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator, LABELS)
        fine = "gtCoarse" if self.use_coarse else "gtFine"
        self._add(content, "train", fine)
        if self.inc_train_extra:
            self._add(content, "train_extra", "gtCoarse")
        all_to(content, "Learn")
        self._add(content, "val", fine)
        all_to(content, "Validation")
        self._add(content, "test", fine, hidden=True)
        all_to(content, "Test")
        return content

    def nominal_size(self) -> int | None:
        return PUBLISHED + (PUBLISHED_EXTRA if self.inc_train_extra else 0)

    def _add(self, content: Content, part: str, quality: str, hidden: bool = False) -> None:
        """The images of a part; with ``hidden`` outlines may be missing, as those of the test set are not public."""
        folder = self.folder() / part
        labels = self.located("label_path", "") if self.label_path else self.folder().parent / quality
        listing = tree.Listing(("png",))
        for level in listing.walk(str(folder), 1, self.where(), self.remedy()):
            files = [file for file in level.files if file.endswith(_IMAGE)]
            rois = []
            for file in files:
                name = os.path.basename(file).removesuffix(_IMAGE)
                outlines = labels.joinpath(part, *level.names, f"{name}_{quality}_polygons.json")
                there = not hidden or outlines.is_file()
                rois.append(tuple(self._outlines(content, outlines)) if there else ())
            content.add_files(files, [None] * len(files), rois)
        found = len(content.partition.unpartitioned)
        tree.check_not_empty(found, folder, f"images in <town>/*{_IMAGE}", self.where(), self.remedy())

    def _outlines(self, content: Content, file: Path) -> Iterator[Roi]:
        text = lines.read_text(file, _EXPECTED, self.where("label_path"), self.remedy("label_path"))
        try:
            objects = json.loads(text)["objects"]
            for item in objects:
                if not item.get("deleted"):
                    yield Polygon(
                        content.label_id(self._label(item["label"])),
                        tuple((int(x), int(y)) for x, y in item["polygon"]),
                    )
        except json.JSONDecodeError as error:
            raise _damaged(file, error.msg, error.lineno) from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise _damaged(file, f"{type(error).__name__}: {error}") from None

    def _label(self, label: Any) -> str:
        if not isinstance(label, str):
            raise TypeError(f"{label!r} is not the name of a label")
        single = label.removesuffix("group")
        if self.single_instance_labels and label not in LABELS and single != label:
            return single
        return label


def _damaged(file: Path, why: str, line: int | None = None) -> DataError:
    return DataError(
        f"unreadable outlines: {why}",
        place=Place(file=str(file), line=line),
        expected=_EXPECTED,
        remedy="get the file again",
    )
