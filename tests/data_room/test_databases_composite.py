from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py.errors import IniError, ParameterError

from .trees import images, labels, load, nominal, refused, sizes

TWO = "[database]\nType=CompositeDatabase\nDatabases=one two\n"


@pytest.fixture
def parts(tmp_path: Path) -> str:
    images(tmp_path / "1", ["a/1.png", "b/1.png"])
    images(tmp_path / "2", ["b/1.png", "b/2.png"])
    common = "Type=DIR_Database\nRandomPartitioning=0\n"
    return f"[one]\n{common}Learn=1\nDataPath={tmp_path}/1\n[two]\n{common}Learn=0.5\nDataPath={tmp_path}/2\n"


def test_labels_of_one_name_remain_two(parts: str) -> None:
    content = load(TWO + parts)
    assert content.label_names == ["/a", "/b", "/b"]
    assert content.labels.tolist() == [0, 1, 2, 2]
    assert sizes(content) == [3, 0, 1]
    assert content.ids("Learn").tolist() == [0, 1, 2]
    assert labels(content, "Test") == ["/b"]
    assert content.name(3).endswith("2/b/2.png")
    assert int(content.frame(3).image[0, 0, 0]) == 1


def test_sizes_are_added() -> None:
    text = "[one]\nType=MNIST_IDX_Database\nValidation=0.5\n[two]\nType=CIFAR10_Database\n"
    assert nominal(TWO + text) == 80000
    assert nominal(TWO + text.replace("CIFAR10_Database", "KITTI_Database") + "Learn=0.5\n") == 33586
    assert nominal(TWO + text.replace("CIFAR10_Database", "IMDBWIKI_Database")) is None


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("[database]\nType=CompositeDatabase\n", ["missing key Databases"], ParameterError),
        ("[database]\nType=CompositeDatabase\nDatabases=\n", ["names no section", "net.ini:3"], ParameterError),
        (
            "[database]\nType=CompositeDatabase\nDatabases=one tow\n",
            ["no section [tow]", "did you mean two?"],
            IniError,
        ),
        (TWO.replace("one", "database"), ["cannot be part of another"], ParameterError),
    ],
)
def test_mistakes(parts: str, text: str, words: list[str], kind: type[IniError]) -> None:
    refused(f"{text}{parts}", *words, kind=kind)


def test_mistakes_in_the_parts(parts: str) -> None:
    refused(TWO + parts + "Lern=1\n", "unknown parameter Lern", "did you mean Learn?", kind=ParameterError)
    refused(TWO + parts.replace("Type=DIR_Database\n", "", 1), "missing key Type", kind=ParameterError)
    differ = TWO + parts + "CompositeLabel=None\n"
    refused(differ, "differ in how their stimuli are read", "net.ini:3", kind=ParameterError)
    assert load(differ.replace("Databases", "CompositeLabel=Disjoint\nDatabases")).loading.composite_label == "Disjoint"
    assert load(differ.replace("[two]\n", "CompositeLabel=None\n[two]\n")).loading.composite_label == "None"


def test_a_part_is_changed_before_it_is_joined(parts: str) -> None:
    drop = "[two.sortAndDropLabels]\nNbKeep=1\nAscending=0\n"
    cut = "[one.slicing]\nWidth=2\nHeight=4\nStrideX=2\nStrideY=4\nApplyTo=All\nRandomShuffle=0\n"
    plain, content = load(TWO + parts), load(TWO + parts + drop + cut)
    height, width, _ = plain.frame(0).image.shape
    slices = -(-width // 2) * -(-height // 4)
    assert sizes(content) == [2 * slices + 1, 0, 1]
    assert content.frame(0).image.shape == (min(4, height), min(2, width), 3)
    assert content.frame(int(content.ids("Test")[0])).image.shape == (height, width, 3)
    assert content.label_names == ["/a", "/b", "/b"]
    refused(TWO + parts + "[one.slicing]\nWidth=2\n", "missing key Height", kind=ParameterError)
