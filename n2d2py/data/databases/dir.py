"""Folders of files: the folder of a file is its label."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from n2d2py.data.content import Content
from n2d2py.data.databases import regions, tree
from n2d2py.data.databases.chained import ChainedDatabase
from n2d2py.data.frame import IGNORE
from n2d2py.data.names import Paths
from n2d2py.data.paths import expand, path
from n2d2py.data.random import Generator
from n2d2py.data.readers import EXTENSIONS, TEXTS
from n2d2py.data.rois import Roi
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, integer, list_of, text
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@dataclass(frozen=True, kw_only=True)
class MoreFolders(ChainedDatabase):
    """Folders of files, as a section of ``LoadMore`` describes them."""

    data_path: str = parameter("DataPath", path, REQUIRED, "folder of the files")
    depth: int = parameter("Depth", integer, 1, "levels of folders below DataPath that are read; -1: all of them")
    label_name: str = parameter("LabelName", text, "", "what the names of labels begin with")
    label_depth: int = parameter(
        "LabelDepth", integer, 1, "levels of folders that make the name of a label; -1: no label, for label -1"
    )
    ignore_masks: tuple[str, ...] = parameter(
        "IgnoreMasks", list_of(text), (), "paths of files and folders that are left out, with * and ?"
    )
    valid_extensions: tuple[str, ...] = parameter(
        "ValidExtensions", list_of(text), (), "extensions of the files that are read; by default all that can be"
    )
    roi_file: str = parameter("ROIFile", path, "", "file of regions: file name; x1; y1; x2; y2; label")
    roi_dir: str = parameter("ROIDir", path, "", "folder of files of regions, read down to Depth")
    roi_extension: tuple[str, ...] = parameter(
        "ROIExtension", list_of(text), ("json",), "extensions of the files in ROIDir: csv, dat or txt"
    )
    inherited: ClassVar[tuple[str, ...]] = ("ignore_masks", "valid_extensions")

    @classmethod
    def link(cls) -> type[ChainedDatabase]:
        return MoreFolders

    def load_into(self, content: Content) -> None:
        """Add the files to ``content`` and divide them, then those of LoadMore."""
        content.partition.random = self.random_partitioning
        content.loading = self.loading()
        folders, paths = self._files()
        names = map(self._label, folders)
        # Before those of the regions; a folder without files has none.
        found = zip(names, paths.counts.tolist(), strict=True)
        labels = [IGNORE if name is None or not count else content.label_id(name) for name, count in found]
        content.add_listed(paths, np.repeat(np.array(labels, np.int64), paths.counts), self._regions(content, paths))
        self.divide(content)
        if self.more is not None:
            self.more.load_into(content)

    def _files(self) -> tuple[list[tuple[str, ...]], Paths]:
        """The names that lead to each folder, and the paths of the files in them."""
        folder = expand(self.data_path, self.place("data_path"))
        remedy = "DataPath= names it: check its spelling"
        chosen = self._extensions("valid_extensions", EXTENSIONS)
        listing = tree.Listing(chosen, self.ignore_masks)
        folders, paths = listing.tree([str(folder)], self.depth, self.where(), remedy)
        paths = self._reference_channels(paths)
        listing.close()
        what = f"files of the extensions {', '.join(sorted(chosen))}"
        tree.check_not_empty(len(paths), folder, what, self.where(), _unused_depth(self))
        return folders, paths

    def _label(self, names: tuple[str, ...]) -> str | None:
        if self.label_depth < 0:
            return None
        return "/".join((self.label_name, *names[: self.label_depth]))

    def _extensions(self, name: str, default: frozenset[str]) -> frozenset[str]:
        given: tuple[str, ...] = getattr(self, name)
        chosen = frozenset(item.lower().removeprefix(".") for item in given) or default
        if not chosen <= default:
            unknown = ", ".join(sorted(chosen - default))
            raise ParameterError(
                f"files of the extension {unknown} cannot be read",
                place=self.place(name) or self.place("roi_dir"),
                expected=f"some of {', '.join(sorted(default))}",
            )
        return chosen

    def _reference_channels(self, paths: Paths) -> Paths:
        """Of stimuli that have a file for each channel, the files that stand for them."""
        if not self.multi_channel_match:
            return paths
        try:
            pattern = re.compile(self.multi_channel_match)
        except re.error as error:
            raise ParameterError(
                f"unreadable pattern {self.multi_channel_match!r}: {error}",
                place=self.place("multi_channel_match"),
                expected="a regular expression that the path of one channel of each stimulus matches",
            ) from None
        return paths.chosen([pattern.fullmatch(path) is not None for path in paths])

    def _regions(self, content: Content, paths: Paths) -> dict[str, list[Roi]]:
        found: dict[str, list[Roi]] = {}
        if self.roi_file:
            file = expand(self.roi_file, self.place("roi_file"))
            by_name = {os.path.basename(name): name for name in paths}
            listed = regions.read(file, sized=False, place=self.place("roi_file"))
            found = regions.match(content, paths, listed, lambda name: by_name.get(os.path.basename(name), ""))
        if self.roi_dir:
            for name, rois in self._regions_of_folder(content, paths).items():
                found.setdefault(name, []).extend(rois)
        return found

    def _regions_of_folder(self, content: Content, paths: Paths) -> dict[str, list[Roi]]:
        chosen = self._extensions("roi_extension", frozenset(TEXTS))
        folder = expand(self.roi_dir, self.place("roi_dir"))
        found: dict[str, list[Roi]] = {}
        given = {os.path.normpath(name): name for name in paths}
        for level in tree.Listing(chosen).walk(str(folder), self.depth, self.place("roi_dir")):
            for file in level.files:

                def path_of(name: str, beside: str = level.folder) -> str:
                    return given.get(os.path.normpath(os.path.join(beside, name)), "")

                listed = regions.read(Path(file), sized=True)
                for name, rois in regions.match(content, paths, listed, path_of).items():
                    found.setdefault(name, []).extend(rois)
        return found


def _unused_depth(record: MoreFolders) -> str | None:
    """What to do about a folder without files, if it has folders that were not read."""
    if record.depth == 0:
        return "Depth=0 reads the files of DataPath itself only: Depth=1 reads those of its folders"
    return f"Depth={record.depth} levels of folders are read: are the files deeper, or of another extension?"


@register("database", "DIR_Database")
@dataclass(frozen=True, kw_only=True)
class DirDatabase(MoreFolders):
    """Files of a folder and of those below it; the path of its folder is the label of a file.

    ``DataPath/cat/1.png`` has the label ``/cat``. Folders and files come in the order of the bytes of their names,
    the files of a folder before those of its folders.
    """

    load_in_memory: bool = parameter("LoadInMemory", boolean, False, "1: images are kept in memory once they are read")

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator, in_memory=self.load_in_memory)
        self.load_into(content)
        return content
