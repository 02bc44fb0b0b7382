"""An index saves the listing and never changes what is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from n2d2py import console
from n2d2py.data import index
from n2d2py.data.databases import tree
from n2d2py.data.paths import CACHE_VARIABLE, cache_root

from .trees import images, labels, listing, load, names, text


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Indices of every size, kept at once: files that are a moment old count as settled."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(index, "FEWEST", 1)
    monkeypatch.setattr(index, "SETTLED", -3_600_000_000_000)
    return tmp_path / "cache"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    images(folder / "cat", ["2.png", "10.png"])
    images(folder / "dog" / "deep", ["1.png"])
    text(folder / "cat" / "readme.md", "no stimulus")
    return folder


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders that are listed."""
    found: list[str] = []
    read = tree.Listing.names

    def names(self: tree.Listing, folder: str, *rest: object) -> tuple[list[str], list[str]]:
        found.append(os.path.basename(folder))
        return read(self, folder, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tree.Listing, "names", names)
    return found


SECTION = "[database]\nType=DIR_Database\nDataPath={}\nLearn=1\nDepth=-1\nLabelDepth=2\nEquivLabelPartitioning=0\n"


Found = tuple[list[str], list[str | None], list[str]]


@pytest.fixture
def found(caplog: pytest.LogCaptureFixture) -> Callable[..., Found]:
    """Names and labels of the stimuli of a folder, and the notices of loading."""

    def find(folder: Path, more: str = "") -> Found:
        caplog.clear()
        with caplog.at_level(console.NOTICE, "n2d2py"):
            content = load(SECTION.format(folder) + "RandomPartitioning=0\n" + more)
        return names(content, "Learn", folder), labels(content, "Learn"), list(caplog.messages)

    return find


def test_the_second_run_lists_three_folders_at_most(
    cache: Path, data: Path, listed: list[str], found: Callable[..., Found]
) -> None:
    for number in range(5):
        images(data / "many" / str(number), ["1.png"])
    before = listing(data)
    first = found(data)
    assert sorted(listed) == sorted(["data", "cat", "dog", "deep", "many", *map(str, range(5))])
    assert first[0] == ["cat/10.png", "cat/2.png", "dog/deep/1.png", *(f"many/{number}/1.png" for number in range(5))]
    assert "readme.md" in first[2][0]
    listed.clear()
    assert found(data) == first  # with the same notice of what is left out
    assert len(listed) == 3
    assert listing(data) == before
    assert [path.parent for path in cache.iterdir()] == [cache]


@pytest.mark.parametrize("change", ["new", "gone", "renamed", "folder", "masked"])
def test_a_change_is_seen(cache: Path, data: Path, change: str, found: Callable[..., Found]) -> None:
    first = found(data)
    if change == "new":
        images(data / "dog" / "deep", ["3.png"])
        assert found(data)[0] == [*first[0], "dog/deep/3.png"]
    elif change == "gone":
        (data / "cat" / "2.png").unlink()
        assert found(data)[0] == ["cat/10.png", "dog/deep/1.png"]
    elif change == "renamed":
        (data / "cat" / "2.png").rename(data / "cat" / "3.png")
        assert found(data)[0] == ["cat/10.png", "cat/3.png", "dog/deep/1.png"]
    elif change == "folder":
        (data / "cat").rename(data / "cow")
        assert found(data)[1] == ["/cow", "/cow", "/dog/deep"]
    else:
        assert found(data, "IgnoreMasks=*/cat\n")[0] == ["dog/deep/1.png"]
    assert found(data)[0] == found(data)[0]


def test_folders_that_do_not_notice_are_counted(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]
) -> None:
    monkeypatch.setattr(index, "stamp", lambda folder: (5, 5))
    found(data)
    images(data / "dog" / "deep", ["3.png"])
    assert "dog/deep/3.png" in found(data)[0]


def test_a_file_system_without_times_has_no_index(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]
) -> None:
    monkeypatch.setattr(index, "stamp", lambda folder: (0, 0))
    found(data)
    assert not cache.exists()


def test_a_folder_that_was_changed_a_moment_ago_has_no_index(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]
) -> None:
    monkeypatch.setattr(index, "SETTLED", 3_600_000_000_000)
    found(data)
    assert not cache.exists()


def test_few_files_have_no_index(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]
) -> None:
    monkeypatch.setattr(index, "FEWEST", 4)
    found(data)
    assert not cache.exists()


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text", "part", "shape", "folder"])
def test_a_damaged_index_is_made_again_with_one_notice(
    cache: Path, data: Path, damage: str, found: Callable[..., Found]
) -> None:
    first = found(data)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "bit":
        place = whole.index(b"10.png")
        file.write_bytes(whole[:place] + b"2" + whole[place + 1 :])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "text":
        file.write_text("not an archive")
    elif damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        parts = dict(np.load(file))
        if damage == "part":
            del parts["counts"]
        else:
            parts["meta"] = np.frombuffer(json.dumps({"skipped": 0, "examples": [], "below": [[]]}).encode(), np.uint8)
        np.savez(file, **parts)
    again = found(data)
    assert again[:2] == first[:2]
    (notice,) = [line for line in again[2] if "is damaged" in line]
    assert str(file) in notice
    assert str(data) in notice
    assert "listed again" in notice
    if damage != "folder":
        assert found(data) == first


def test_nothing_is_kept_in_the_data(
    data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(data / "cat"))
    before = listing(data)
    (notice,) = [line for line in found(data)[2] if "index of" in line]
    assert f"{data / 'cat'} lies in it" in notice
    assert "N2D2_CACHE names another folder" in notice
    assert listing(data) == before


def test_a_cache_that_cannot_be_written(data: Path, cache: Path, found: Callable[..., Found]) -> None:
    text(cache, "a file")
    (notice,) = [line for line in found(data)[2] if "index of" in line]
    assert f"could not be kept in {cache}" in notice
    assert "or 0 for none" in notice


def test_none_is_wanted(data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., Found]) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "0")
    assert cache_root() is None
    found(data)
    assert not cache.exists()


def test_the_usual_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CACHE_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "n2d2py"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_root() == tmp_path / "x" / "n2d2py"


def test_a_folder_that_is_gone_is_the_error_of_listing(cache: Path, data: Path, found: Callable[..., Found]) -> None:
    found(data)
    data.rename(data.with_name("moved"))
    with pytest.raises(Exception, match="does not exist"):
        load(SECTION.format(data))


def test_the_classes_of_imagenet(cache: Path, tmp_path: Path, listed: list[str]) -> None:
    folder = tmp_path / "imagenet"
    for number in range(5):
        images(folder / "train" / f"n0{number}", [f"{number}_2.JPEG", f"{number}_1.JPEG"])
    images(folder / "val", ["v1.JPEG"])
    text(folder / "val.txt", "v1.JPEG 0\n")
    text(folder / "synsets.txt", "n04 n00 n02 n01 n03")
    section = f"[database]\nType=ILSVRC2012_Database\nDataPath={folder}\nLabelPath={folder}/synsets.txt\nLearn=1\n"
    first = load(section)
    assert len(listed) == 6
    listed.clear()
    second = load(section)
    assert len(listed) == 4  # three classes that are counted, and val
    assert names(second, "Learn", folder) == names(first, "Learn", folder)
    assert second.label_names == first.label_names == ["n04", "n00", "n02", "n01", "n03"]
    assert second.name(0).endswith("train/n04/4_1.JPEG")
