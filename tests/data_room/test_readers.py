from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from n2d2py.data import headers, readers
from n2d2py.errors import DataError

PIXELS = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3) * 2


def png(folder: Path, image: Image.Image, name: str = "x.png") -> str:
    image.save(folder / name)
    return str(folder / name)


def test_images_are_read_as_they_are(tmp_path: Path) -> None:
    gray = Image.fromarray(PIXELS[..., 0])
    assert readers.read(png(tmp_path, Image.fromarray(PIXELS))).tolist() == PIXELS[..., ::-1].tolist()
    assert readers.read(png(tmp_path, gray)).tolist() == PIXELS[..., :1].tolist()
    palette = readers.read(png(tmp_path, gray.convert("P")))
    assert palette.shape == (5, 7, 3)
    assert palette[..., 0].tolist() == PIXELS[..., 0].tolist()
    assert readers.read(png(tmp_path, gray.convert("LA"))).shape == (5, 7, 4)
    assert readers.read(png(tmp_path, Image.fromarray(PIXELS).convert("RGBA"))).shape == (5, 7, 4)
    assert set(readers.read(png(tmp_path, gray.convert("1"))).ravel().tolist()) <= {0, 255}
    deep = readers.read(png(tmp_path, Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)))
    assert (deep.dtype, int(deep[0, 1, 0])) == (np.uint16, 6 * 257)


def test_jpeg_of_other_colours_and_of_a_turned_camera(tmp_path: Path) -> None:
    photo = Image.fromarray(PIXELS)
    photo.convert("CMYK").save(tmp_path / "c.JPEG")
    photo.convert("L").save(tmp_path / "g.jpe")
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    photo.save(tmp_path / "t.jpg", exif=turned)
    assert readers.read(str(tmp_path / "c.JPEG")).shape == (5, 7, 3)
    assert readers.read(str(tmp_path / "g.jpe")).shape == (5, 7, 1)
    assert readers.read(str(tmp_path / "t.jpg")).shape == (5, 7, 3)


@pytest.mark.parametrize("extension", ["bmp", "png", "jpg", "ppm", "tiff", "ras"])
def test_the_size_is_known_without_decoding(tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"x.{extension}"
    assert cv2.imwrite(str(path), PIXELS)
    assert headers.look(path.read_bytes()).size == (7, 5)
    monkeypatch.setattr(readers, "_decode", None)
    assert readers.size(str(path)) == (7, 5)


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(100_000, 100_000))
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(DataError, match="claims to have 100000x100000 pixels") as error:
        readers.read(str(path))
    assert "bomb.png" in str(error.value)
    assert "OPENCV_IO_MAX_IMAGE_PIXELS" in str(error.value)


def test_damaged_images_are_named(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8)).save(stream, "JPEG")
    jpeg = stream.getvalue()
    assert readers.read(str(_file(tmp_path / "whole.jpg", jpeg + b"rest"))).shape == (60, 60, 3)
    for name, content, words in (
        ("cut.jpg", jpeg[:-100], "truncated: its end is missing"),
        ("cut.png", bomb(5, 5)[:-12], "truncated"),
        ("page.jpg", b"<html><body>404</body></html>", "a web page"),
        ("pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        ("empty.jpg", b"", "an empty file"),
        ("noise.png", b"\1\2\3\4" * 20, "cannot be decoded"),
        ("x.webp", b"RIFF", "'webp' cannot be stimuli"),
    ):
        with pytest.raises(DataError) as error:
            readers.read(str(_file(tmp_path / name, content)))
        assert words in str(error.value)
        assert name in str(error.value)
    with pytest.raises(DataError, match="cannot read the stimulus: No such file"):
        readers.read(str(tmp_path / "none.png"))


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_texts_are_matrices(tmp_path: Path) -> None:
    path = _file(tmp_path / "x.csv", b"# comment\n1,2.5;3\n\n4 5\t-6e1 # more\n")
    found = readers.read(str(path))
    assert found.dtype == np.float64
    assert found[..., 0].tolist() == [[1, 2.5, 3], [4, 5, -60]]
    assert readers.size(str(path)) == (3, 2)
    for content, words in (
        (b"1 2\n3\n", "x.dat:2"),
        (b"1 2\n3\n", "1 values, but 2 on the first line"),
        (b"This is a readme.\n", "not a matrix of numbers"),
        (b"\n# nothing\n", "no numbers"),
    ):
        with pytest.raises(DataError) as error:
            readers.read(str(_file(tmp_path / "x.dat", content)))
        assert words in str(error.value)


def wav(samples: bytes, bits: int, code: int = 1, tracks: int = 1) -> bytes:
    form = struct.pack("<HHIIHH", code, tracks, 8000, 8000 * bits // 8, bits // 8, bits)
    head = b"RIFF\0\0\0\0WAVE" + b"fmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", len(samples)) + samples


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (wav(b"\x00\x80\xff", 8), [0, 128, 255]),
        (wav(struct.pack("<3h", -32768, 0, 32767), 16), [-32768, 0, 32767]),
        (wav(b"\x00\x00\x80\xff\xff\x7f\xff\xff\xff", 24), [-(2**23), 2**23 - 1, -1]),
        (wav(struct.pack("<2i", -(2**31), 5), 32), [-(2**31), 5]),
        (wav(struct.pack("<2f", 0.5, -2), 32, code=3), [0.5, -2]),
    ],
)
def test_sounds_are_rows_of_samples(tmp_path: Path, content: bytes, values: list[float]) -> None:
    found = readers.read(str(_file(tmp_path / "x.wav", content)))
    assert (found.shape, found.dtype) == ((1, len(values), 1), np.float64)
    assert found.ravel().tolist() == values


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (wav(b"\0" * 8, 16, tracks=2), "2 tracks"),
        (wav(b"\0" * 8, 16)[:-3], "truncated"),
        (wav(b"\0" * 8, 64), "64 bits a sample"),
        (b"<html>", "a web page"),
        (b"RIFF\0\0\0\0WAVE", "no samples"),
    ],
)
def test_sounds_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(DataError) as error:
        readers.read(str(_file(tmp_path / "x.wav", content)))
    assert words in str(error.value)
