from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.databases.tree import matches
from n2d2py.errors import DataError, ParameterError

from .trees import boxes, empty_files, image, images, labels, listing, load, names, nominal, refused, sizes, text

ORDERED = "RandomPartitioning=0\n"


def section(root: Path, lines: str = "Learn=1\n") -> str:
    return f"[database]\nType=DIR_Database\nDataPath={root}\n{ORDERED}{lines}"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two levels of folders, capitals, an image in the root, and files that are no stimuli."""
    root = tmp_path / "tree"
    images(root, ["root.png", "b/2.png", "b/10.png", "b/deep/1.png", "Ab/1.PNG", "aa/1.jpg"])
    text(root / "b" / "notes.md", "not a stimulus")
    return root


def test_files_in_byte_order_before_folders(tree: Path, said: list[str]) -> None:
    before = listing(tree)
    content = load(section(tree, "Learn=1\nEquivLabelPartitioning=0\n"))
    assert names(content, "Learn", tree) == ["root.png", "Ab/1.PNG", "aa/1.jpg", "b/10.png", "b/2.png"]
    assert content.label_names == ["", "/Ab", "/aa", "/b"]
    assert labels(content, "Learn") == ["", "/Ab", "/aa", "/b", "/b"]
    assert listing(tree) == before
    assert [line for line in said if "notes.md" in line and line.startswith("NOTICE 1 files and folders")]


@pytest.mark.parametrize(
    ("keys", "label_names", "count"),
    [
        ("Depth=0", [""], 1),
        ("Depth=-1", ["", "/Ab", "/aa", "/b"], 6),
        ("Depth=2\nLabelDepth=2", ["", "/Ab", "/aa", "/b", "/b/deep"], 6),
        ("LabelDepth=0\nLabelName=all", ["all"], 5),
        ("LabelName=x", ["x", "x/Ab", "x/aa", "x/b"], 5),
        ("DefaultLabel=none", ["none", "", "/Ab", "/aa", "/b"], 5),
    ],
)
def test_depth_and_names_of_labels(tree: Path, keys: str, label_names: list[str], count: int) -> None:
    content = load(section(tree, f"Learn=1\nEquivLabelPartitioning=0\n{keys}\n"))
    assert content.label_names == label_names
    assert len(content) == count


def test_without_labels_all_stimuli_are_tested(tree: Path) -> None:
    content = load(section(tree, "Learn=1\nLabelDepth=-1\n"))
    assert sizes(content) == [0, 0, 5]
    assert set(content.labels.tolist()) == {-1}


def test_masks_and_extensions(tree: Path) -> None:
    content = load(section(tree, 'Learn=1\nDepth=-1\nEquivLabelPartitioning=0\nIgnoreMasks="*/b/d*" */Ab/?.PNG\n'))
    assert names(content, "Learn", tree) == ["root.png", "aa/1.jpg", "b/10.png", "b/2.png"]
    content = load(section(tree, "Learn=1\nEquivLabelPartitioning=0\nValidExtensions=.JPG\n"))
    assert names(content, "Learn", tree) == ["aa/1.jpg"]
    refused(section(tree, "Learn=1\nValidExtensions=webp\n"), "webp cannot be read", "net.ini:6", kind=ParameterError)


@pytest.mark.parametrize(
    ("mask", "words", "expected"),
    [
        ("*.png", "a/b.png", True),
        ("?.png", "ab.png", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("+", "+", True),
    ],
)
def test_masks_know_two_signs_only(mask: str, words: str, expected: bool) -> None:
    assert matches(mask, words) is expected


def test_the_partition_of_the_published_example(tmp_path: Path) -> None:
    for name, count in (("a", 800), ("b", 123), ("c", 435), ("d", 798)):
        empty_files(tmp_path / name, count)
    content = load(section(tmp_path, "Learn=0.4\nValidation=0.2\n"))
    assert sizes(content) == [4 * 49, 4 * 25, 726 + 49 + 361 + 724]
    for set_name, counts in (("Learn", [49] * 4), ("Validation", [25] * 4), ("Test", [726, 49, 361, 724])):
        assert np.bincount(content.labels[content.ids(set_name)]).tolist() == counts
    drawn = load(section(tmp_path, "Learn=0.4\nValidation=0.2\n").replace(ORDERED, ""))
    assert sizes(drawn) == sizes(content)
    assert drawn.ids("Learn").tolist() != content.ids("Learn").tolist()
    assert sorted(np.concatenate([drawn.ids(name) for name in ("Learn", "Validation", "Test")])) == list(range(2156))


def test_numbers_of_stimuli(tmp_path: Path) -> None:
    empty_files(tmp_path / "a", 6)
    empty_files(tmp_path / "b", 4)
    counts = "PerLabelPartitioning=0\n"
    assert sizes(load(section(tmp_path, f"Learn=5\nValidation=2\n{counts}"))) == [5, 2, 3]
    assert sizes(load(section(tmp_path, f"Learn=5\nValidation=2\nTest=1\n{counts}"))) == [5, 2, 1]
    refused(
        section(tmp_path, f"Learn=11\nTest=0\n{counts}"), "11 stimuli are wanted for Learn, 10 are left", "net.ini:5"
    )
    refused(section(tmp_path, f"Learn=0.5\n{counts}"), "Learn=0.5 is not a number of stimuli", "PerLabelPartitioning=0")


def test_fractions_above_one(tmp_path: Path) -> None:
    empty_files(tmp_path / "a", 6)
    refused(section(tmp_path, "Learn=0.8\nValidation=0.3\n"), "0.8 + 0.3", "exceed 1", "net.ini:5")


def test_more_sections_keep_what_they_do_not_repeat(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    images(first, ["a/1.png", "a/2.jpg"])
    images(second, ["b/1.png", "b/2.png", "b/3.jpg"])
    more = f"[more]\nDataPath={second}\nLearn=0.5\n"
    content = load(section(first, f"Learn=1\nValidExtensions=png\nLoadMore=more\nDefaultLabel=none\n{more}"))
    assert sizes(content) == [0, 0, 3]  # the default label has no stimuli, and all labels give as many
    assert [Path(content.name(number)).name for number in range(len(content))] == ["1.png", "1.png", "2.png"]
    assert content.label_names == ["none", "/a", "/b"]
    content = load(
        section(first, f"Learn=1\nLoadMore=more\nEquivLabelPartitioning=0\n{more}EquivLabelPartitioning=0\n")
    )
    assert names(content, "Learn", tmp_path) == ["first/a/1.png", "first/a/2.jpg", "second/b/1.png", "second/b/2.png"]
    assert names(content, "Test", tmp_path) == ["second/b/3.jpg"]


def test_a_known_label_without_new_stimuli_sends_all_to_test(tmp_path: Path, said: list[str]) -> None:
    images(tmp_path / "first", ["a/1.png"])
    images(tmp_path / "second", ["b/1.png", "b/2.png"])
    content = load(
        section(tmp_path / "first", f"Learn=1\nLoadMore=more\n[more]\nDataPath={tmp_path}/second\nLearn=1\n")
    )
    assert sizes(content) == [1, 0, 2]
    assert any(line.startswith("WARNING no stimulus was partitioned") for line in said)


def test_mistakes_of_load_more(tree: Path) -> None:
    refused(
        section(tree, "Learn=1\nLoadMore=mre\n[more]\nX=1\n"), "no section [mre]", "did you mean more?", "net.ini:6"
    )
    circle = f"[more]\nDataPath={tree}\nLearn=1\nLoadMore=more\n"
    refused(section(tree, f"Learn=1\nLoadMore=more\n{circle}"), "without an end: more -> more", "net.ini:10")
    memory = f"[more]\nDataPath={tree}\nLearn=1\nLoadInMemory=1\n"
    refused(section(tree, f"Learn=1\nLoadMore=more\n{memory}"), "unknown parameter LoadInMemory", "net.ini:10")


def test_in_memory_images_are_read_once(tree: Path) -> None:
    content = load(section(tree, "Learn=1\nLoadInMemory=1\nEquivLabelPartitioning=0\n"))
    first = content.frame(0).image
    (tree / "root.png").unlink()
    assert content.frame(0).image.tolist() == first.tolist()
    content = load(section(tree, "Learn=1\nEquivLabelPartitioning=0\n"))
    (tree / "Ab" / "1.PNG").unlink()
    with pytest.raises(DataError, match=r"Ab/1\.PNG"):
        content.frame(0)


def test_regions_of_a_file_crop_labelled_images(tmp_path: Path, said: list[str]) -> None:
    root = images(tmp_path / "tree", ["a/1.png", "a/2.png"])
    rois = text(tmp_path / "rois.csv", "# name x1 y1 x2 y2 label\n1.png;1;2;5.9;4;/a\nother.png;0;0;1;1;/a\n")
    content = load(section(root, f"Learn=1\nROIFile={rois}\n"))
    assert boxes(content, 0) == [("/a", (1, 2, 5, 4))]
    assert content.frame(0).image.shape == (2, 4, 3)
    assert content.frame(1).image.shape == (6, 8, 3)
    assert "WARNING there are regions of 1 images that are not there: other.png" in said


def test_regions_paint_unlabelled_images(tmp_path: Path) -> None:
    root = images(tmp_path / "tree", ["1.png"])
    rois = text(tmp_path / "rois.csv", "1.png;0;0;2;1;x\n1.png;1;0;3;1;y\n")
    content = load(section(root, f"Learn=1\nLabelDepth=-1\nROIFile={rois}\nDefaultLabel=none\n"))
    assert content.label_names == ["none", "x", "y"]
    assert content.frame(0).labels[:2].tolist() == [[1, 2, 2, 0, 0, 0, 0, 0], [0] * 8]


def test_regions_of_a_folder(tmp_path: Path) -> None:
    root = images(tmp_path / "tree", ["a/1.png"])
    text(tmp_path / "rois" / "1.txt", "../tree/a/1.png 8 6 1 1 3 3 /a\n")
    content = load(section(root, f"Learn=1\nROIDir={tmp_path}/rois\nROIExtension=txt\n"))
    assert boxes(content, 0) == [("/a", (1, 1, 3, 3))]
    refused(section(root, f"Learn=1\nROIDir={tmp_path}/rois\n"), "extension json cannot be read", "csv, dat, txt")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1.png;0;0;2;x", ["5 values, 6 are expected"]),
        ("1.png;0;0;2;u;x", ["'u' is not a number"]),
        ("1.png;0;0;inf;2;x", ["not a finite number"]),
        ("<html>", ["a web page"]),
    ],
)
def test_unreadable_regions(tmp_path: Path, line: str, words: list[str]) -> None:
    root = images(tmp_path / "tree", ["a/1.png"])
    rois = text(tmp_path / "rois.csv", f"{line}\n")
    message = refused(section(root, f"Learn=1\nROIFile={rois}\n"), *words, str(rois), kind=DataError)
    assert f"{rois}:1" in message or "web page" in message


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    refused(section(missing), f"folder {missing} does not exist", "net.ini:3", "DataPath=", kind=DataError)
    archive = image(tmp_path / "cifar.png")
    refused(section(archive), "is a file, not a folder", "unpack it", kind=DataError)
    (tmp_path / "empty" / "a").mkdir(parents=True)
    refused(section(tmp_path / "empty"), "nothing to load", "png", "Depth=1", kind=DataError)
    refused("[database]\nType=DIR_Database\nLearn=1\n", "missing key DataPath", "net.ini:1", kind=ParameterError)


def test_a_link_to_a_folder_above_is_not_followed(tmp_path: Path) -> None:
    root = images(tmp_path / "tree", ["a/1.png"])
    (root / "a" / "again").symlink_to(root)
    assert len(load(section(root, "Learn=1\nDepth=-1\n"))) == 1


def test_links_to_files_and_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    images(tmp_path / "elsewhere", ["1.png", "2.png"])
    root = images(tmp_path / "tree", ["b/1.png"])
    (root / "a").symlink_to(tmp_path / "elsewhere")
    (root / "b" / "2.png").symlink_to(tmp_path / "elsewhere" / "2.png")
    content = load(section(root))
    assert names(content, "Learn", root) == ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
    assert labels(content, "Learn") == ["/a", "/a", "/b", "/b"]


def test_a_margin_around_regions(tmp_path: Path) -> None:
    root = images(tmp_path / "tree", ["1.png"])
    rois = text(tmp_path / "rois.csv", "1.png;3;2;5;4;x\n")
    content = load(section(root, f"Learn=1\nLabelDepth=-1\nROIFile={rois}\nDefaultLabel=none\nROIsMargin=1\n"))
    assert content.frame(0).labels[2].tolist() == [0, 0, -1, 1, 1, -1, 0, 0]
    assert content.frame(0).labels[0].tolist() == [0] * 8


def test_channels_in_files_of_their_own(tmp_path: Path) -> None:
    for number, colour in enumerate(("red", "nir")):
        image(tmp_path / "a" / f"1_{colour}.png", 10 + number, gray=True)
    keys = r"MultiChannelMatch=(.*)_red\.png" + "\nMultiChannelReplace=$1_red.png $1_nir.png $1_none.png\n"
    content = load(section(tmp_path, f"Learn=1\n{keys}"))
    assert len(content) == 1
    assert content.frame(0).image[0, 0].tolist() == [10, 11, 0]
    refused(section(tmp_path, "Learn=1\nMultiChannelMatch=(\n"), "unreadable pattern '('", "net.ini:6")


def test_sounds_and_matrices_are_stimuli(tmp_path: Path) -> None:
    samples = np.arange(-3, 4, dtype="<i2").tobytes()
    header = (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    )
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / "1.wav").write_bytes(header + b"data" + struct.pack("<I", len(samples)) + samples)
    text(tmp_path / "yes" / "2.csv", "1;2\n3;4\n")
    content = load(section(tmp_path))
    assert content.frame(0).image[..., 0].tolist() == [list(range(-3, 4))]
    assert content.frame(1).image[..., 0].tolist() == [[1, 2], [3, 4]]


def test_the_published_size_is_not_known(tree: Path) -> None:
    assert nominal(section(tree)) is None
