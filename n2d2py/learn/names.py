"""Names of the files that belong to a cell."""

from __future__ import annotations

from pathlib import Path

from n2d2py.graph.naming import path_of

__all__ = ["file_of", "path_of"]


def file_of(folder: Path, cell: str, name: str) -> Path:
    """The file of the tensor ``name`` of a cell: ``conv1_weights.syntxt``; without a name, that of the whole cell."""
    return folder / (path_of(cell) + (f"_{name}" if name else "") + ".syntxt")
