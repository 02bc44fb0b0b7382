"""Downloading of data sets: ``n2d2py -fetch mnist``.

A file that is already there and right is kept. A download goes to ``<file>.part`` beside it, which is resumed if
the server can, and is renamed when its checksum is right: a file of the real name is always whole.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from n2d2py import console
from n2d2py.data.paths import data_root
from n2d2py.errors import DataError, UsageError, did_you_mean
from n2d2py.signature import HEAD, identify

URL_VARIABLE = "N2D2_FETCH_URL"
"""Environment variable with the address of another server, in place of the public ones."""

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16
_ROOM = 1 << 20  # what a gzip file may be longer than its content


@dataclass(frozen=True)
class File:
    """A file of a data set: MD5 of the gzip file as published, MD5 and size of its content.

    A mirror may have packed the content again: the content decides.
    """

    name: str
    packed: str
    content: str
    size: int


@dataclass(frozen=True)
class DataSet:
    """Files of a data set, the folder below N2D2_DATA that holds them, and a public server that has them."""

    folder: str
    url: str
    files: tuple[File, ...]


DATA_SETS = {
    "mnist": DataSet(
        "mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (
            File(
                "train-images-idx3-ubyte.gz",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "6bbc9ace898e44ae57da46a324031adb",
                47040016,
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "a25bea736e30d166cdddb491f175f624",
                60008,
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                "9fb629c4189551a2d022fa330f9573f3",
                "2646ac647ad5339dbf082846283269ea",
                7840016,
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                "ec29112dd5afa0611ce80d1b7f02629c",
                "27ae3e4e09519cfbb04c329615203637",
                10008,
            ),
        ),
    ),
    "fashion-mnist": DataSet(
        "fashion-mnist",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (
            File(
                "train-images-idx3-ubyte.gz",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                47040016,
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                "25c81989df183df01b3e8a0aad5dffbe",
                "9018921c3c673c538a1fc5bad174d6f9",
                60008,
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                "bef4ecab320f06d8554ea6380940ec79",
                "8181f5470baa50b63fa0f6fddb340f0a",
                7840016,
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                "bb300cfdad3c16e7a12a480ee83cd310",
                "15d484375f8d13e6eb1aabb0c3f46965",
                10008,
            ),
        ),
    ),
}


def fetch(name: str, base_url: str | None = None, folder: Path | str | None = None) -> Path:
    """Download the data set ``name`` and return the folder that holds it.

    The files come from ``base_url``, else $N2D2_FETCH_URL, else a public server, and go to ``folder``, else to the
    data set's folder below $N2D2_DATA. Raises :class:`UsageError` for an unknown name and :class:`DataError`,
    with the URL and what to do, for whatever can go wrong on the way.
    """
    if name not in DATA_SETS:
        raise UsageError(f"unknown data set {name!r}", remedy=did_you_mean(name, DATA_SETS))
    data_set = DATA_SETS[name]
    base = base_url or os.environ.get(URL_VARIABLE) or data_set.url
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise UsageError(f"{base} is not the address of a server", expected="http://... or https://...")
    target = Path(folder) if folder is not None else data_root() / data_set.folder
    with _disk(target):
        target.mkdir(parents=True, exist_ok=True)
    for file in data_set.files:
        path = target / file.name
        if _plain_is_there(path, file) or is_right(path, file):
            console.line(f"{path.with_suffix('').name} is there and right")
        else:
            _fetch_file(f"{base.rstrip('/')}/{file.name}", path, file)
    console.line(f"{name} is in {target}")
    return target


def is_right(path: Path, file: File) -> bool:
    """Whether the file at ``path`` is the one that was published, by its checksum."""
    if not path.is_file():
        return False
    if _md5(path) == file.packed:
        return True
    content, size = hashlib.md5(usedforsecurity=False), 0
    try:
        with gzip.open(path) as stream:
            while size <= file.size and (chunk := stream.read(_CHUNK)):
                content.update(chunk)
                size += len(chunk)
    except (OSError, EOFError, zlib.error):
        return False
    return size == file.size and content.hexdigest() == file.content


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _plain_is_there(path: Path, file: File) -> bool:
    """Whether the unpacked file is there. It is read before the packed one, so a wrong one is an error."""
    plain = path.with_suffix("")
    if not plain.is_file():
        return False
    if _md5(plain) == file.content:
        return True
    raise DataError(
        f"{plain} is not the published file, and it is read before {path.name}",
        expected=f"MD5 {file.content}",
        remedy="delete or rename it, then run again",
    )


def _fetch_file(url: str, path: Path, file: File) -> None:
    part = path.with_name(f"{path.name}.part")
    resumed = _download(url, part, file)
    if resumed and not is_right(part, file):
        part.unlink()  # the part belonged to another file: once more, from the beginning
        _download(url, part, file)
    if not is_right(part, file):
        with part.open("rb") as stream:
            head = stream.read(HEAD)
        size = part.stat().st_size
        part.unlink()
        what = identify(head)
        wrong = what if what is not None and not head.startswith(b"\x1f\x8b") else "another file, or damaged"
        raise DataError(
            f"{url} is not {path.name}: {size} bytes, {wrong}",
            expected=f"the gzip file of MD5 {file.packed}, or one whose content has MD5 {file.content}",
            remedy=f"try later, or set {URL_VARIABLE} to the address of a server that has the file",
        )
    with _disk(path):
        os.replace(part, path)
    console.line(f"{path} is downloaded and right")


def _download(url: str, part: Path, file: File) -> bool:
    """Download into ``part``; returns whether what was there before was kept and completed."""
    there = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "n2d2py", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT) as answer:
            resumed = there > 0 and answer.status == 206
            done = there if resumed else 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length is not None and length.isdigit() else None
            with _disk(part), part.open("ab" if resumed else "wb") as stream, _progress(part.stem, total) as advance:
                advance(done)
                while chunk := answer.read(_CHUNK):
                    done += len(chunk)
                    stream.write(chunk)
                    if done > file.size + _ROOM:
                        return resumed  # whatever this is, it is not the file: the checksum will say so
                    advance(len(chunk))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and there:  # nothing is left to resume
            return True
        raise DataError(
            f"the server answers {error.code} ({error.reason}) for {url}",
            remedy=f"try later, or set {URL_VARIABLE} to the address of a server that has the file",
        ) from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"no answer from {url}: {reason}",
            remedy=f"check the connection, then run again: it goes on where it stopped; or set {URL_VARIABLE}",
        ) from None
    if total is not None and done < total:
        raise DataError(
            f"the connection to {url} ended after {done} of {total} bytes",
            remedy="run again: it goes on where it stopped",
        )
    return resumed


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn errors of writing into errors that name the file."""
    try:
        yield
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        raise  # those are OSErrors, but of the network
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full and path.name.endswith(".part"):
            path.unlink(missing_ok=True)
        raise DataError(
            f"cannot write {path}: {error.strerror or error}",
            remedy="free some space, or set N2D2_DATA to a folder on another disk"
            if full
            else "set the environment variable N2D2_DATA to a folder that you may write",
        ) from None


@contextmanager
def _progress(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere; gives the function that advances it by some bytes."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)
