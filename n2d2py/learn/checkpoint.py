"""Folders that hold the whole state of a run, written so that a crash at any moment leaves a complete one.

A folder has ``state.json`` and one file of tensors, ``<checksum>.safetensors``. Each is written beside its final
name, flushed to the disk and renamed; ``state.json``, which names the other and holds its checksum and its own, comes
last. So the folder is in its old state until that one rename and in its new state from then on.

Beside the folders ``run.json`` says of which run they are: those of an earlier one are not gone on from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from n2d2py import console
from n2d2py.errors import LearningError, Place
from n2d2py.version import __version__

STATE = "state.json"
RUN = "run.json"
_TENSORS = ".safetensors"
_FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """The state of a run at one moment: plain values as JSON has them, and tensors by name (on the CPU)."""

    values: dict[str, Any]
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class Saved:
    """A snapshot that was read; ``identity`` says of which network, data and options, ``time`` (s) is when."""

    folder: Path
    identity: dict[str, Any]
    time: float
    snapshot: Snapshot
    run: str | None = None


def write(folder: Path, snapshot: Snapshot, identity: Mapping[str, Any], run: str | None = None) -> None:
    """Make ``folder`` hold ``snapshot``. Raises OSError, and leaves what was there, if the disk does not take it."""
    data = save({name: tensor.contiguous() for name, tensor in snapshot.tensors.items()})
    file = hashlib.sha256(data).hexdigest() + _TENSORS
    content = {
        "format": _FORMAT,
        "version": __version__,
        "time": time.time(),
        "run": run,
        "tensors": file,
        "identity": dict(identity),
        "values": snapshot.values,
    }
    with _undone_unless_named(folder, file):
        folder.mkdir(parents=True, exist_ok=True)
        write_through(folder / file, data)
        _write_state(folder, content)


def copy(source: Path, folder: Path) -> None:
    """Make ``folder`` hold what ``source`` holds; the tensors take no room twice where the disk can link files."""
    content = _read_state(source)
    file = content["tensors"]
    with _undone_unless_named(folder, file):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / file).exists():
            fresh = folder / f"{file}.part"
            fresh.unlink(missing_ok=True)
            try:
                os.link(source / file, fresh)
            except OSError:
                write_through(folder / file, (source / file).read_bytes())
            else:
                fresh.replace(folder / file)
        _write_state(folder, content)


@contextlib.contextmanager
def _undone_unless_named(folder: Path, file: str) -> Iterator[None]:
    """After a failure take tensors away that no state names: a disk that is full has no room for them."""
    try:
        yield
    except BaseException:
        named = None
        with contextlib.suppress(LearningError):
            named = _read_state(folder)["tensors"]
        if named != file:
            with contextlib.suppress(OSError):
                (folder / file).unlink(missing_ok=True)
                folder.rmdir()  # if there is nothing else
        raise


def _write_state(folder: Path, content: dict[str, Any]) -> None:
    content = {key: value for key, value in content.items() if key != "checksum"}
    content["checksum"] = _checksum(content)
    write_through(folder / STATE, json.dumps(content).encode())
    sync_folder(folder)
    sync_folder(folder.parent)
    for other in folder.glob(f"*{_TENSORS}*"):
        if other.name != content["tensors"]:
            other.unlink(missing_ok=True)


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_through(path: Path, data: bytes) -> None:
    """Write a file beside its final name, down to the disk, and rename it; a failure leaves no trace."""
    fresh = path.with_name(f"{path.name}.part")
    try:
        with fresh.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(folder: Path) -> Saved:
    """What a folder holds. Raises :class:`LearningError` if it is no checkpoint, or a damaged one."""
    content = _read_state(folder)
    file = folder / content["tensors"]
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _damaged(file, f"its tensors cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() + _TENSORS != content["tensors"]:
        raise _damaged(file, "the tensors are not those that were written")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise _damaged(file, f"the tensors are unreadable: {error}") from None
    snapshot = Snapshot(content["values"], tensors)
    return Saved(folder, content["identity"], float(content["time"]), snapshot, content.get("run"))


def _read_state(folder: Path) -> dict[str, Any]:
    file = folder / STATE
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise LearningError(
            f"there is no checkpoint in {folder}: {error.strerror or error}",
            place=Place(file=str(file)),
            expected=f"a folder with {STATE}, as learning writes it into checkpoints/ and net_state",
        ) from None
    except ValueError as error:
        raise _damaged(file, f"it is no JSON text: {error}") from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise _damaged(file, f"it is not of format {_FORMAT}")
    if content.pop("checksum", None) != _checksum(content):
        raise _damaged(file, "its checksum is another")
    return content


def _damaged(file: Path, why: str) -> LearningError:
    return LearningError(
        f"the checkpoint {file.parent} is damaged: {why}",
        place=Place(file=str(file)),
        remedy="use another checkpoint, or an undamaged copy of it",
    )


def begin(root: Path) -> str:
    """Let a new run have its checkpoints below ``root``; gives its name. Those that are there are not its own."""
    run = uuid.uuid4().hex
    root.mkdir(parents=True, exist_ok=True)
    write_through(root / RUN, json.dumps({"run": run, "time": time.time()}).encode())
    sync_folder(root)
    return run


def begun(root: Path) -> str | None:
    """The run that was begun last; None if nothing says so."""
    try:
        run = json.loads((root / RUN).read_bytes())["run"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return run if isinstance(run, str) else None


def candidates(root: Path) -> list[Path]:
    """The folders below ``root`` that have a state of the run that was begun last, the latest first."""
    run = begun(root)
    found = [(*_stamp(file), file.parent) for file in root.glob(f"*/{STATE}")]
    mine = [(when, folder) for when, of, folder in found if run is None or of in (run, None)]
    return [folder for _, folder in sorted(mine, reverse=True)]


def _stamp(file: Path) -> tuple[float, str | None]:
    """When a state was written, as it says itself (copied files are all of one moment), and its run.

    The run of a damaged one is not known, and of one without a run it is empty.
    """
    try:
        content = json.loads(file.read_bytes())
        return float(content["time"]), content.get("run") or ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return file.stat().st_mtime, None


def latest(root: Path) -> Saved | None:
    """The latest checkpoint below ``root`` that is whole, with a warning for each damaged one; None without any.

    Raises :class:`LearningError` if there are some and all of them are damaged.
    """
    problem: LearningError | None = None
    for folder in candidates(root):
        try:
            saved = read(folder)
        except LearningError as error:
            console.warning(f"{error.what}; the one before it is tried")
            problem = error
            continue
        return saved
    if problem is not None:
        raise LearningError(
            f"no checkpoint in {root} is whole",
            place=problem.place,
            remedy=f"remove {root} and begin anew without -resume; weights/ and net_state/ may hold an earlier state",
        )
    return None


class Checkpoints:
    """The checkpoints of one run: when one is due, where they go, and how many are kept.

    ``every``: seconds between two of them beside those of the logs (0: none); ``keep``: how many stay (0: none is
    ever written). Checkpoints of earlier runs are removed once this run has one of its own.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any], every: float = 0.0, keep: int = 2) -> None:
        self.root, self.identity, self.every, self.keep = root, identity, every, keep
        self.run: str | None = None
        self._written: list[Path] = []
        self._last = time.monotonic()

    def begin(self) -> None:
        """Be those of a new run: from now on those of an earlier one are not gone on from."""
        if self.keep or self.root.exists():
            self.run = begin(self.root)

    def go_on(self, saved: Saved) -> None:
        """Count the checkpoints up to the one that the run goes on from among its own."""
        self.run = saved.run
        self._written = [folder for folder in reversed(candidates(self.root)) if folder != saved.folder]
        self._written.append(saved.folder)

    @property
    def newest(self) -> Path | None:
        """The last one that was written."""
        return self._written[-1] if self._written else None

    @property
    def due(self) -> bool:
        """Whether the time for one has come."""
        return bool(self.keep and self.every) and time.monotonic() - self._last >= self.every

    def save(self, number: int, snapshot: Snapshot, copies: Sequence[Path] = ()) -> Path | None:
        """Write the checkpoint after ``number`` batches, and the same into the folders ``copies``.

        A disk that does not take it is worth a warning: learning goes on, and the older checkpoint stays.
        """
        self._last = time.monotonic()
        if not self.keep:
            return None
        folder = self.root / str(number)
        try:
            write(folder, snapshot, self.identity, self.run)
            for other in copies:
                copy(folder, other)
        except OSError as error:
            kept = f"{self._written[-1]} is the last one" if self._written else "there is none yet"
            reason = error.strerror or error
            console.warning(f"the checkpoint {folder} could not be written: {reason}; learning goes on, {kept}")
            return None
        self._written = [one for one in self._written if one != folder] + [folder]
        self._prune()
        return folder

    def _prune(self) -> None:
        kept = self._written[-self.keep :]
        for folder in self.root.iterdir():
            if folder.name.isdigit() and folder not in kept:
                # Without its state it is no checkpoint any more, whatever happens to the rest.
                with contextlib.suppress(OSError):
                    (folder / STATE).unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
        self._written = kept
