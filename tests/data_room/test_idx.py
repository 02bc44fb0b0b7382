from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data import idx
from n2d2py.errors import DataError

from .conftest import idx_bytes

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        idx.read_images(path)
    text = str(error.value)
    assert str(path) in text
    return text


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_plain_and_packed_files_are_told_by_content_not_by_name(tmp_path: Path, name: str) -> None:
    for content in (idx_bytes(IMAGES), gzip.compress(idx_bytes(IMAGES))):
        (tmp_path / name).write_bytes(content)
        read = idx.read_images(tmp_path / name)
        assert read.dtype == np.uint8
        assert read.tolist() == IMAGES.tolist()


def test_labels(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([3, 1, 2], np.uint8)))
    assert idx.read_labels(tmp_path / "labels").tolist() == [3, 1, 2]


def test_no_images_are_images(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx_bytes(np.empty((0, 28, 28), np.uint8)))
    assert idx.read_images(tmp_path / "images").shape == (0, 28, 28)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_truncated(tmp_path: Path, pack: type[bytes]) -> None:
    text = refused(tmp_path / "images", pack(idx_bytes(IMAGES)[:-5]))
    assert "truncated" in text
    assert "of 24 bytes are there" in text
    assert "get it again" in text


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_truncated_header(tmp_path: Path, pack: type[bytes]) -> None:
    assert "truncated: 9 of 16 bytes" in refused(tmp_path / "images", pack(idx_bytes(IMAGES)[:9]))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_too_long(tmp_path: Path, pack: type[bytes]) -> None:
    text = refused(tmp_path / "images", pack(idx_bytes(IMAGES) + b"\0"))
    assert "longer than its header says (24 bytes after the header, for 2x3x4)" in text


def test_truncated_gzip(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 30, 30)).astype(np.uint8)
    text = refused(tmp_path / "images.gz", gzip.compress(idx_bytes(noise))[:-600])
    assert "the gzip file is truncated" in text
    assert "get it again" in text


def test_damaged_gzip(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx_bytes(IMAGES)))
    content[-8] ^= 1  # the checksum of the content
    assert "the gzip file is damaged (CRC check failed" in refused(tmp_path / "images.gz", bytes(content))


def test_a_gzip_file_that_unpacks_to_much_more_than_its_header_says_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(idx_bytes(IMAGES) + bytes(100_000_000), compresslevel=1)
    assert "longer than its header says" in refused(tmp_path / "images.gz", bomb)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_promises_more_than_the_file_can_hold_takes_no_memory(tmp_path: Path, pack: type[bytes]) -> None:
    header = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**32 - 1, 2**16, 2**16)
    assert "truncated: at most" in refused(tmp_path / "images", pack(header + bytes(100)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>...", "a web page"),
        (b"\n <HTML><body>404", "a web page"),
        (b"<?xml version='1.0'?><Error>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        (b"PK\x03\x04aaaaaaaaaaaaaaaaa", "a ZIP archive"),
        (b'{"message": "not found"}', "a JSON text"),
        (b"\x89PNG\r\n\x1a\nxxxxxxxxxxxx", "a PNG image"),
        (b"", "an empty file"),
        (b"ab", "a file of 2 bytes"),
        (b"\x01\x02\x03\x04" * 9, "it begins with 01 02 03 04"),
        (b"\0\0\x0d\x03" + bytes(30), "an IDX file of floats"),
        (b"\0\0\x08\x04" + bytes(30), "an IDX file of 4 dimensions"),
    ],
)
def test_what_a_wrong_file_is(tmp_path: Path, content: bytes, words: str) -> None:
    for packed in (content, gzip.compress(content)):
        text = refused(tmp_path / "images", packed)
        assert f"not an IDX file: it {'is ' if not words.startswith('it') else ''}{words.removeprefix('it ')}" in text
        assert "begins with 00 00 08 03" in text


def test_images_and_labels_exchanged(tmp_path: Path) -> None:
    text = refused(tmp_path / "images", idx_bytes(np.zeros(30, np.uint8)))
    assert "an IDX file of labels" in text
    assert "exchanged" in text


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="cannot read the file"):
        idx.read_images(tmp_path / "images")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "images").chmod(0)
    with pytest.raises(DataError, match="cannot read the file"):
        idx.read_images(tmp_path / "images")


def test_as_many_labels_as_images(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "labels").write_bytes(idx_bytes(np.zeros(3, np.uint8)))
    with pytest.raises(DataError, match="2 images and 3 labels") as error:
        idx.read_pair(tmp_path / "images", tmp_path / "labels")
    assert str(tmp_path / "images") in str(error.value)
    assert str(tmp_path / "labels") in str(error.value)


def test_find_prefers_the_plain_file_and_names_all_that_is_missing(tmp_path: Path) -> None:
    for name in ("a", "a.gz", "b.gz"):
        (tmp_path / name).write_bytes(b"")
    assert idx.find(tmp_path, ["a", "b"], "") == [tmp_path / "a", tmp_path / "b.gz"]
    with pytest.raises(DataError, match="files are missing in") as error:
        idx.find(tmp_path, ["a", "c", "d"], "fetch them")
    assert "c or c.gz, d or d.gz" in str(error.value)
    assert "fetch them" in str(error.value)
    with pytest.raises(DataError, match=r"folder .*nowhere does not exist"):
        idx.find(tmp_path / "nowhere", ["a"], "")
