"""CachePath: what the fixed transformations make of a stimulus, kept in files from one run to the next.

A file is found by a hash of the content of the stimulus's own file and of everything that was done to it, so another
chain, another label or another image is another file, and nothing is ever out of date. What is drawn at random is
not kept. Files are written beside their name and renamed, so several runs can share a folder.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np

from n2d2py.data.content import Content
from n2d2py.data.frame import Frame
from n2d2py.data.pipeline import fingerprint
from n2d2py.data.plan import Plan
from n2d2py.data.stock import Files
from n2d2py.errors import ParameterError, Place
from n2d2py.graph.files import write

_LOOKED_AT = 1000  # so many files tell in which folder the data are


class Cache:
    """The files of one plan; raises :class:`ParameterError` for a folder inside that of the data."""

    def __init__(self, folder: Path, content: Content, plan: Plan, place: Place | None = None) -> None:
        self._folder = folder
        self._content = content
        steps = [step for _, step in plan.fixed]
        if plan.repeats:
            steps += [step for channel in plan.pipeline.channels for step in channel.steps]
        # The labels of pixels depend on what labels there are; the loading on the options of the database.
        words = [fingerprint(steps), repr(content.loading), repr(content.label_names), content.depth.name]
        self._chain = hashlib.sha256("\n".join(words).encode()).digest()
        _refuse_data_folder(folder, content, place)

    def find(self, stimulus: int) -> Frame | None:
        """What was kept of a stimulus, None if nothing was or the file is damaged."""
        path = self._path(stimulus)
        try:
            with np.load(path, allow_pickle=False) as kept:
                return Frame(kept["image"], kept["labels"], (), stimulus)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def keep(self, frame: Frame) -> None:
        """Keep what was made of a stimulus; its regions cannot be kept, so one that has any is not."""
        if frame.rois:
            return
        stream = io.BytesIO()
        np.savez(stream, image=frame.image, labels=frame.labels)
        write(self._path(frame.stimulus), stream.getvalue())

    def _path(self, stimulus: int) -> Path:
        content = self._content
        own = (int(content.labels[stimulus]), content.rois.get(stimulus), content.slices.get(stimulus))
        hashed = hashlib.sha256(self._chain + repr(own).encode())
        for path in content.files_of(stimulus):
            try:
                hashed.update(hashlib.blake2b(Path(path).read_bytes()).digest())
            except OSError:
                hashed.update(b"missing")
        key = hashed.hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.npz"


def _refuse_data_folder(folder: Path, content: Content, place: Place | None) -> None:
    folders = {
        os.path.dirname(os.path.abspath(path))
        for part in content.stock.parts
        if isinstance(part, Files)
        for path in part.paths[:_LOOKED_AT]
    }
    data = os.path.commonpath(folders) if folders else None
    wanted = os.path.abspath(folder)
    if data is not None and data != os.sep and os.path.commonpath([data, wanted]) == data:
        raise ParameterError(
            f"CachePath={folder} lies in the folder of the data, {data}, in which nothing is written",
            place=place,
            expected="a folder elsewhere",
        )
