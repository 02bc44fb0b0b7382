"""Names of the files that belong to a cell."""

from __future__ import annotations

import re
from pathlib import Path

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')


def path_of(cell: str) -> str:
    """The name of a cell as part of a path: what file systems forbid becomes ``_``; ``/`` makes folders.

    >>> path_of('layer1/conv:0'), path_of('/../up')
    ('layer1/conv_0', '__/up')
    """
    parts = [part for part in _FORBIDDEN.sub("_", cell).split("/") if part not in ("", ".")]
    return "/".join("__" if part == ".." else part for part in parts)


def file_of(folder: Path, cell: str, name: str) -> Path:
    """The file of the tensor ``name`` of a cell: ``conv1_weights.syntxt``; without a name, that of the whole cell."""
    return folder / (path_of(cell) + (f"_{name}" if name else "") + ".syntxt")
