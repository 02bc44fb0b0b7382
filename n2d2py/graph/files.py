"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def with_suffix(base: str | Path, suffix: str) -> Path:
    """``base`` with ``suffix`` behind whatever it ends in.

    >>> with_suffix("LeNet.ini", ".png").name
    'LeNet.ini.png'
    """
    return Path(f"{base}{suffix}")


def write(path: str | Path, content: str | bytes) -> Path:
    """Write text (UTF-8) or bytes through a sibling temporary file and a rename; makes folders. Returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # the name that the user knows
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(fresh, 0o666 & ~umask)  # mkstemp makes files that only their owner may read
        os.replace(fresh, path)
    except BaseException as error:
        Path(fresh).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    return path
