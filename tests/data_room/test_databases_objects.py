from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.databases.actitracker import most_frequent
from n2d2py.errors import DataError, ParameterError

from .trees import HTML, empty_files, labels, listing, load, names, nominal, refused, sizes, text


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))


def section(kind: str, lines: str = "") -> str:
    return f"[database]\nType={kind}_Database\nRandomPartitioning=0\n{lines}"


@pytest.mark.parametrize(
    ("kind", "folder", "clutter", "never"),
    [
        ("Caltech101_DIR", "101_ObjectCategories", "BACKGROUND_Google", "Faces_easy"),
        ("Caltech256_DIR", "256_ObjectCategories", "257.clutter", None),
    ],
)
def test_caltech(kind: str, folder: str, clutter: str, never: str | None, tmp_path: Path) -> None:
    for name, count in (("zebra", 5), ("ant", 3), (clutter, 4), *([(never, 1)] if never else [])):
        empty_files(tmp_path / folder / name, count, "jpg")
    empty_files(tmp_path / folder / "ant", 1, "png")
    before = listing(tmp_path)
    content = load(section(kind, "Learn=0.67\n"))
    assert content.label_names == ["/ant", "/zebra"]
    assert sizes(content) == [4, 0, 4]
    assert labels(content, "Learn") == ["/ant"] * 2 + ["/zebra"] * 2
    content = load(section(kind, "Learn=0.34\nValidation=0.33\nIncClutter=1\n"))
    assert set(content.label_names) == {"/ant", "/zebra", f"/{clutter}"}
    assert sizes(content) == [3, 3, 6]
    assert listing(tmp_path) == before
    refused(section(kind), "missing key Learn", kind=ParameterError)
    refused(section(kind, "Learn=0.8\nValidation=0.3\n"), "0.8 + 0.3", "exceed 1", kind=ParameterError)
    for file in tmp_path.rglob("*.jpg"):
        file.unlink()
    refused(section(kind, "Learn=1\n"), "nothing to load", folder, kind=DataError)
    (tmp_path / folder).rename(tmp_path / "gone")
    refused(section(kind, "Learn=1\n"), f"{folder} does not exist", "N2D2_DATA", kind=DataError)


def test_sizes_as_published() -> None:
    assert nominal(section("Caltech101_DIR", "Learn=0.5\n")) == 1600
    assert nominal(section("Caltech256_DIR", "Learn=0.5\nIncClutter=1\n")) == 257 * 40
    assert nominal(section("Actitracker")) == 39742
    assert nominal(section("LITISRouen")) == 1210
    assert nominal(section("N_MNIST", "Validation=0.1\n")) == 54000


def rows(*activities: str) -> str:
    return "".join(f"{user},{name},123,{user}.5,-1,0.25;\n" for user, name in enumerate(activities))


def test_windows_of_accelerations(tmp_path: Path, said: list[str]) -> None:
    file = tmp_path / "WISDM_at_v2.0" / "WISDM_at_v2.0_raw.txt"
    text(file, rows("Walking", "Sitting", "Sitting", "Walking", "Stairs", "Stairs", "Stairs", "Jogging", "Jogging"))
    content = load(section("Actitracker", "WindowSize=4\nLearn=0.5\nValidation=0.5\n"))
    assert content.label_names == ["Jogging", "LyingDown", "Sitting", "Stairs", "Standing", "Walking"]
    assert (labels(content, "Learn"), labels(content, "Validation")) == (["Sitting"], ["Stairs"])
    image = content.frame(1).image
    assert (image.shape, image.dtype) == ((4, 3, 1), np.dtype(np.float32))
    assert image[:, :, 0].tolist() == [[2.5, -1, 0.25], [3.5, -1, 0.25], [4.5, -1, 0.25], [5.5, -1, 0.25]]
    content = load(section("Actitracker", "WindowSize=2\nOverlapping=0\nLearn=1\nValidation=0\n"))
    assert labels(content, "Learn") == ["Walking", "Sitting", "Stairs"]
    text(file.with_name("WISDM_at_v2.0_unlabeled_raw.txt"), rows("NoLabel", "NoLabel", "NoLabel", "NoLabel", "NoLabel"))
    content = load(section("Actitracker", "WindowSize=2\nLearn=1\nValidation=0\nUseUnlabeledForTest=1\n"))
    assert labels(content, "Test") == [None, None, None]
    text(file, rows(*["Walking"] * 300) + "7,Walking,12,,,;\n")
    assert len(load(section("Actitracker"))) == 4
    assert any(line.startswith("WARNING 1 unreadable rows") and f"{file}:301" in line for line in said)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (rows(*["Walking"] * 5) + "1,Walking,2,x,1,1;\n", ["raw.txt:6", "unreadable line"]),
        (rows("Walking", "Flying"), ["raw.txt:2", "'Flying' is none of Jogging"]),
        (rows("Walking"), ["1 rows are fewer than a window"]),
        (HTML, ["a web page"]),
    ],
)
def test_wrong_rows(tmp_path: Path, content: str, words: list[str]) -> None:
    text(tmp_path / "WISDM_at_v2.0" / "WISDM_at_v2.0_raw.txt", content)
    refused(section("Actitracker"), *words, kind=DataError)


def test_the_label_of_a_window() -> None:
    assert most_frequent(np.array([3, 3, 5, 5, 1])) == 3
    assert most_frequent(np.array([3, 5, 5, 3])) == 5


def test_sounds_of_places(tmp_path: Path) -> None:
    folder = tmp_path / "data_rouen"
    samples = struct.pack("<4h", 1, -2, 3, -4)
    header = b"RIFF" + struct.pack("<I", 44) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    folder.mkdir()
    for name in ("bus1", "bus10", "cafe2", "cafe3b", "train-ter1"):
        (folder / f"{name}.wav").write_bytes(header + b"data" + struct.pack("<I", 8) + samples)
    content = load(section("LITISRouen"))
    assert content.label_names == ["bus", "cafe", "train-ter"]
    assert sizes(content) == [2, 2, 1]
    assert content.frame(0).image[..., 0].tolist() == [[1, -2, 3, -4]]
    (folder / "1.wav").touch()
    refused(section("LITISRouen"), "1.wav begins with a digit", "bus12.wav", kind=DataError)


def events(*pixels: tuple[int, int, int]) -> bytes:
    return b"".join(bytes([x, y, polarity << 7, 0, time % 256]) for time, (x, y, polarity) in enumerate(pixels))


def test_events_are_counted(tmp_path: Path, said: list[str]) -> None:
    folder = tmp_path / "N-MNIST"
    for part, digit, count in (("Train", 7, 3), ("Train", 2, 1), ("Test", 2, 1)):
        for number in range(count):
            file = folder / part / str(digit) / f"{number:05d}.bin"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(events((1, 2, 0), (1, 2, 0), (1, 2, 1), *[(33, 33, 1)] * (300 * number)))
    content = load(section("N_MNIST", "Validation=0.25\n"))
    assert content.label_names == ["2", "7"]
    assert sizes(content) == [3, 1, 1]
    image = content.frame(0).image
    assert (image.shape, image.dtype) == ((34, 34, 2), np.dtype(np.uint8))
    assert (image[2, 1].tolist(), int(image.sum())) == ([2, 1], 3)
    assert content.frame(3).image[33, 33].tolist() == [0, 255]
    assert names(content, "Test") == [f"{folder}/Test/2[00000].bin"]
    assert "NOTICE N_MNIST_Database: events are counted for each pixel, their times are not used" in said
    file = folder / "Train" / "7" / "00001.bin"
    for wrong, words in (
        (events((1, 2, 0))[:-1], "truncated"),
        (b"", "an empty file"),
        (events((34, 2, 0)), "an event is at 34,2, outside"),
        (HTML.encode(), "a web page"),
    ):
        file.write_bytes(wrong)
        refused(section("N_MNIST"), words, "00001.bin", kind=DataError)


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("Actitracker", "WISDM_at_v2.0/WISDM_at_v2.0_raw.txt"),
        ("LITISRouen", "data_rouen"),
        ("N_MNIST", "N-MNIST/Train"),
    ],
)
def test_nothing_is_there(kind: str, missing: str) -> None:
    refused(section(kind), f"{missing} does not exist", "N2D2_DATA", "net.ini:1", kind=DataError)
