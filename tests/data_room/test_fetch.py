"""Downloads from a server on loopback."""

from __future__ import annotations

import errno
import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from n2d2py.data import fetch as module
from n2d2py.data.databases.idx import FILES
from n2d2py.data.fetch import DATA_SETS, DataSet, File, fetch
from n2d2py.errors import DataError, UsageError

CONTENTS = {
    "a-ubyte.gz": np.random.default_rng(0).integers(0, 256, 70000).astype(np.uint8).tobytes(),
    "b-ubyte.gz": b"labels" * 100,
}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``answers``; remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, bytes]] = {f"/{name}": (200, body) for name, body in PACKED.items()}
        self.asked: list[tuple[str, str | None]] = []
        self.resumes = True
        self.cut: int | None = None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        status, body = self.server.answers.get(self.path, (404, b"not here"))
        if wanted is not None and status == 200 and self.server.resumes:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status, body = (206, body[start:]) if start < len(body) else (416, b"")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked may hang up
            self.wfile.write(body[: self.server.cut])

    def log_message(self, format: str, *args: Any) -> None:
        """Keep standard error clean."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = tuple(File(name, md5(PACKED[name]), md5(body), len(body)) for name, body in CONTENTS.items())
    with Server() as running:
        monkeypatch.setitem(DATA_SETS, "small", DataSet("small", running.url, files))
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def refused(folder: Path, kind: type[Exception] = DataError) -> str:
    with pytest.raises(kind) as error:
        fetch("small", folder=folder)
    return str(error.value)


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_arrive_whole_and_no_other(server: Server, tmp_path: Path, said: list[str]) -> None:
    assert fetch("small", folder=tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    assert there(tmp_path / "new" / "folder") == PACKED
    assert said[-1] == f"INFO small is in {tmp_path / 'new' / 'folder'}"


def test_what_is_right_is_kept(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a-ubyte.gz").write_bytes(PACKED["a-ubyte.gz"])
    (tmp_path / "b-ubyte").write_bytes(CONTENTS["b-ubyte.gz"])
    fetch("small", folder=tmp_path)
    assert server.asked == []
    assert sorted(there(tmp_path)) == ["a-ubyte.gz", "b-ubyte"]


def test_content_that_was_packed_again_is_right(server: Server, tmp_path: Path) -> None:
    server.answers["/a-ubyte.gz"] = (200, gzip.compress(CONTENTS["a-ubyte.gz"], compresslevel=1, mtime=7))
    fetch("small", folder=tmp_path)
    assert md5(there(tmp_path)["a-ubyte.gz"]) != md5(PACKED["a-ubyte.gz"])


def test_a_damaged_file_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a-ubyte.gz").write_bytes(PACKED["a-ubyte.gz"][:-10])
    fetch("small", folder=tmp_path)
    assert there(tmp_path) == PACKED


def test_a_wrong_unpacked_file_is_not_touched_and_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a-ubyte").write_bytes(b"mine")
    text = refused(tmp_path)
    assert f"{tmp_path / 'a-ubyte'} is not the published file, and it is read before a-ubyte.gz" in text
    assert "delete or rename it" in text
    assert there(tmp_path) == {"a-ubyte": b"mine"}


def test_an_interrupted_download_is_resumed(server: Server, tmp_path: Path) -> None:
    server.cut = 30000
    text = refused(tmp_path)
    assert f"the connection to {server.url}/a-ubyte.gz ended after 30000 of {len(PACKED['a-ubyte.gz'])} bytes" in text
    assert "run again" in text
    assert sorted(there(tmp_path)) == ["a-ubyte.gz.part"]
    server.cut = None
    fetch("small", folder=tmp_path)
    assert server.asked[1] == ("/a-ubyte.gz", "bytes=30000-")
    assert there(tmp_path) == PACKED


def test_a_server_that_cannot_resume_sends_all(server: Server, tmp_path: Path) -> None:
    server.resumes = False
    (tmp_path / "a-ubyte.gz.part").write_bytes(PACKED["a-ubyte.gz"][:1000])
    fetch("small", folder=tmp_path)
    assert there(tmp_path) == PACKED


@pytest.mark.parametrize("part", [b"of another file", PACKED["a-ubyte.gz"] + b"more", b"x" * len(PACKED["a-ubyte.gz"])])
def test_a_part_of_another_file_is_not_completed(server: Server, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "a-ubyte.gz.part").write_bytes(part)
    fetch("small", folder=tmp_path)
    assert there(tmp_path) == PACKED


def test_a_whole_part_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a-ubyte.gz.part").write_bytes(PACKED["a-ubyte.gz"])
    fetch("small", folder=tmp_path)
    assert there(tmp_path) == PACKED


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>log in</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"", "an empty file"),
        (gzip.compress(b"other", mtime=0), "another file, or damaged"),
    ],
)
def test_a_wrong_answer_is_not_kept(server: Server, tmp_path: Path, body: bytes, words: str) -> None:
    server.answers["/a-ubyte.gz"] = (200, body)
    text = refused(tmp_path)
    assert f"{server.url}/a-ubyte.gz is not a-ubyte.gz: {len(body)} bytes, {words}" in text
    assert md5(PACKED["a-ubyte.gz"]) in text
    assert "N2D2_FETCH_URL" in text
    assert there(tmp_path) == {}


def test_an_endless_answer_is_cut(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROOM", 1000)
    server.answers["/b-ubyte.gz"] = (200, bytes(10_000_000))
    text = refused(tmp_path)
    assert "is not b-ubyte.gz" in text
    assert "b-ubyte.gz.part" not in there(tmp_path)


def test_not_found(server: Server, tmp_path: Path) -> None:
    del server.answers["/b-ubyte.gz"]
    text = refused(tmp_path)
    assert f"the server answers 404 (Not Found) for {server.url}/b-ubyte.gz" in text
    assert "N2D2_FETCH_URL" in text
    assert there(tmp_path) == {"a-ubyte.gz": PACKED["a-ubyte.gz"]}


def test_no_server(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no answer from http://127.0.0.1:9/a-ubyte.gz") as error:
        fetch("small", "http://127.0.0.1:9", tmp_path)
    assert "check the connection" in str(error.value)


def test_the_environment_names_another_server(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATA_SETS, "small", DataSet("small", "http://127.0.0.1:9", DATA_SETS["small"].files))
    monkeypatch.setenv("N2D2_FETCH_URL", f"{server.url}/")
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    assert fetch("small") == tmp_path / "small"
    assert there(tmp_path / "small") == PACKED


def test_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean mnist"):
        fetch("mnst", folder=tmp_path)
    with pytest.raises(UsageError, match="ftp://x is not the address of a server"):
        fetch("mnist", "ftp://x", tmp_path)


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    text = refused(tmp_path / "file" / "folder")
    assert "cannot write" in text
    assert "N2D2_DATA" in text


def test_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full(name: str, total: int | None) -> Iterator[Any]:
        def advance(count: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        yield advance

    monkeypatch.setattr(module, "_progress", full)
    text = refused(tmp_path)
    assert "No space left on device" in text
    assert "free some space" in text
    assert there(tmp_path) == {}


def test_the_published_data_sets_have_the_files_that_are_read() -> None:
    assert sorted(DATA_SETS) == ["fashion-mnist", "mnist"]
    for data_set in DATA_SETS.values():
        assert [file.name for file in data_set.files] == [f"{name}.gz" for name in FILES]
        assert data_set.url.startswith("http")
        assert [file.size for file in data_set.files] == [47040016, 60008, 7840016, 10008]


def test_real_mnist_is_the_published_one() -> None:
    folder = Path(__file__).parents[3] / "shared" / "data" / "mnist"
    if not folder.is_dir():
        pytest.skip("the real MNIST is not there")
    for file in DATA_SETS["mnist"].files:
        assert module.is_right(folder / file.name, file)
