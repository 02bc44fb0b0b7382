from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py.errors import DataError, ParameterError

from .trees import HTML, images, labels, listing, load, names, nominal, refused, sizes, text


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    folder = tmp_path / "ILSVRC2012"
    images(folder / "train" / "n01", ["n01_2.JPEG", "n01_10.JPEG", "n01_1.JPEG"])
    images(folder / "train" / "n02", ["n02_1.JPEG"])
    text(folder / "train" / "n01" / "list.txt", "not an image")
    images(folder / "val", ["v1.JPEG", "v2.JPEG"])
    text(folder / "val.txt", "v2.JPEG 0\nv1.JPEG 1\n")
    text(folder / "synsets.txt", "n02\nn01 \n")
    return folder


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))


SECTION = "[database]\nType=ILSVRC2012_Database\nRandomPartitioning=0\n"


def test_classes_come_in_the_order_of_their_list(imagenet: Path) -> None:
    before = listing(imagenet)
    content = load(f"{SECTION}Learn=1.0\n")
    assert content.label_names == ["n02", "n01"]
    train = [f"train/n01/n01_{number}.JPEG" for number in (1, 10, 2)]
    assert names(content, "Learn", imagenet) == ["train/n02/n02_1.JPEG", *train]
    assert names(content, "Validation", imagenet) == names(content, "Test", imagenet) == ["val/v2.JPEG", "val/v1.JPEG"]
    assert labels(content, "Validation") == labels(content, "Test") == ["n02", "n01"]
    assert content.ids("Test").tolist() == [6, 7]
    assert listing(imagenet) == before


def test_parts_of_train(imagenet: Path) -> None:
    assert sizes(load(f"{SECTION}Learn=0.5\nUseValidationForTest=0\n")) == [2, 2, 2]
    assert sizes(load(f"{SECTION}Learn=0.5\n")) == [2, 2, 4]
    refused(SECTION, "missing key Learn", kind=ParameterError)


def test_the_background_is_a_first_label(imagenet: Path) -> None:
    content = load(f"{SECTION}Learn=1\nBackgroundClass=1\n")
    assert content.label_names == ["background", "n02", "n01"]
    assert content.labels[content.ids("Validation")].tolist() == [1, 2]


def test_elsewhere(imagenet: Path, tmp_path: Path) -> None:
    imagenet.rename(tmp_path / "other")
    text(tmp_path / "classes.txt", "n01")
    keys = f"Learn=1\nDataPath={tmp_path}/other\nLabelPath={tmp_path}/classes.txt\n"
    text(tmp_path / "other" / "val.txt", "v1.JPEG 0")
    assert sizes(load(SECTION + keys)) == [3, 1, 1]


def test_the_size_as_published() -> None:
    assert nominal("[database]\nType=ILSVRC2012_Database\nLearn=1.0\n") == 1281167
    assert nominal("[database]\nType=ILSVRC2012_Database\nLearn=0.5\n") == 640584


def test_nothing_is_there() -> None:
    refused(f"{SECTION}Learn=1\n", "synsets.txt does not exist", "N2D2_DATA", "LabelPath=", kind=DataError)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("synsets.txt", "n02 n03", ["train/n03 does not exist", "synsets.txt", "LabelPath"]),
        ("synsets.txt", "", ["no names of classes"]),
        ("synsets.txt", HTML, ["a web page", "synsets.txt"]),
        ("val.txt", "v1.JPEG 0\nv2.JPEG\n", ["val.txt:2", "unreadable line 'v2.JPEG'"]),
        ("val.txt", "v1.JPEG 2", ["val.txt:1", "2 is not the number of one of the 2 classes"]),
        ("val.txt", "v1.JPEG one", ["val.txt:1", "one is not the number"]),
        ("val.txt", "v1.JPEG 0\n\nv9.JPEG 1", ["val.txt:3", "val/v9.JPEG does not exist", "ILSVRC2012_img_val.tar"]),
    ],
)
def test_wrong_lists(imagenet: Path, file: str, content: str, words: list[str]) -> None:
    text(imagenet / file, content)
    refused(f"{SECTION}Learn=1\n", *words, kind=DataError)


def test_folders_without_images(imagenet: Path) -> None:
    for file in (imagenet / "train").rglob("*.JPEG"):
        file.unlink()
    refused(f"{SECTION}Learn=1\n", "nothing to load", "train", kind=DataError)
    (imagenet / "val.txt").unlink()
    images(imagenet / "train" / "n01", ["n01_2.JPEG"])
    refused(f"{SECTION}Learn=1\n", "val.txt does not exist", kind=DataError)
