"""One run at a time in a folder: a file that the operating system locks for as long as the process lives."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from n2d2py import console
from n2d2py.errors import LearningError, Place

try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None  # type: ignore[assignment]

LOCK = Path("n2d2py.lock")


@contextlib.contextmanager
def locked(path: Path = LOCK) -> Iterator[None]:
    """Hold the lock; a file that a dead process has left behind is no lock.

    Raises :class:`LearningError` that names the process which holds it, and since when.
    """
    if fcntl is None:
        yield
        return
    handle = _acquire(path)
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(handle)


def _acquire(path: Path) -> int | None:
    """The descriptor that holds the lock; None where the file system has none."""
    path = path.absolute()
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(handle, 1000, 0).decode("utf-8", "replace").strip()
            os.close(handle)
            raise _busy(path, text) from None
        except OSError:
            os.close(handle)
            console.notice(f"{path.parent} is on a file system without locks: see to it that one run works there")
            return None
        if _is_still_there(path, handle):
            break
        os.close(handle)  # the run before has just ended and removed it
    words = f"process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}"
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, words.encode(), 0)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_still_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _busy(path: Path, text: str) -> LearningError:
    return LearningError(
        f"another run works in this folder: {text or 'it does not say which'}",
        place=Place(file=str(path)),
        expected="one run at a time in a folder, so that none overwrites what the other writes",
        remedy="wait for it, or work in another folder (-w and -l take paths to the results of this one)",
    )
