"""The folder of an export, written whole or not at all.

Files go into a sibling folder first, which then takes the place of an older export by renaming. A folder that has no
``export.json`` is not an export and is never replaced.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from n2d2py.errors import WeightsError
from n2d2py.version import __version__

MARK = "export.json"


def write(folder: Path, kind: str, facts: dict[str, Any], fill: Callable[[Path], list[str]]) -> list[str]:
    """Let ``fill`` write the files of an export, and put them in place; gives what ``fill`` has to say.

    Raises :class:`WeightsError` if the folder is there and is no export, or cannot be written.
    """
    if folder.exists() and not (folder / MARK).is_file():
        raise WeightsError(
            f"{folder} is there and is not an export: it stays as it is",
            remedy=f"move it away; an export has a file {MARK}",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            fresh, old = Path(name) / "new", Path(name) / "old"
            fresh.mkdir()
            lines = fill(fresh)
            mark = {"format": f"n2d2py export {kind}", "n2d2py_version": __version__, **facts}
            (fresh / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
            if folder.exists():
                folder.rename(old)
            try:
                fresh.rename(folder)
            except OSError:
                if old.exists():
                    shutil.move(old, folder)
                raise
            return lines
    except OSError as error:
        raise WeightsError(
            f"cannot write {folder}: {error.strerror or error}", remedy="check the folder's rights and the free space"
        ) from error
