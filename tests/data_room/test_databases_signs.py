from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py.errors import DataError, ParameterError

from .trees import HTML, boxes, images, labels, listing, load, names, nominal, refused, sizes, text

HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"


@pytest.fixture
def gtsrb(tmp_path: Path) -> Path:
    folder = tmp_path / "GTSRB"
    for number, count in ((0, 2), (1, 4)):
        inside = folder / "Final_Training" / "Images" / f"{number:05d}"
        files = [f"00000_{index:05d}.ppm" for index in range(count)]
        images(inside, files)
        text(inside / f"GT-{number:05d}.csv", HEADER + "".join(f"{name};8;6;1;2;5;4;{number}\n" for name in files))
    images(folder / "Final_Test" / "Images", ["00000.ppm", "00001.ppm"])
    text(folder / "GT-final_test.csv", f"{HEADER}00000.ppm;8;6;0;0;8;6;1\n00001.ppm;8;6;2;2;4;5;0\n")
    return folder


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))


GTSRB = "[database]\nType=GTSRB_DIR_Database\nRandomPartitioning=0\n"


def test_the_network_sees_the_sign(gtsrb: Path) -> None:
    before = listing(gtsrb)
    content = load(GTSRB)
    assert sizes(content) == [6, 0, 2]
    assert content.label_names == ["0", "1"]
    assert labels(content, "Learn") == ["0", "0", "1", "1", "1", "1"]
    assert labels(content, "Test") == ["1", "0"]
    assert content.frame(0).image.shape == (2, 4, 3)
    assert content.frame(7).image.shape == (3, 2, 3)
    assert content.frame(7).labels.tolist() == [[0]]
    assert listing(gtsrb) == before


def test_validation_is_a_share_of_each_label(gtsrb: Path) -> None:
    content = load(f"{GTSRB}Validation=0.5\n")
    assert labels(content, "Learn") == labels(content, "Validation") == ["0", "1", "1"]


def test_extracted_regions_are_stimuli(gtsrb: Path) -> None:
    inside = gtsrb / "Final_Training" / "Images" / "00000"
    text(inside / "GT-00000.csv", f"{HEADER}00000_00001.ppm;8;6;1;2;5;4;0\n00000_00001.ppm;8;6;0;0;1;1;0\n")
    refused(GTSRB, "00000_00000.ppm has 0 regions", "GT-00000.csv", "ExtractROIs=1", kind=DataError)
    content = load(f"{GTSRB}ExtractROIs=1\n")
    assert [Path(name).name for name in names(content, "Learn")[:2]] == ["00000_00001.ppm"] * 2
    assert sizes(content) == [6, 0, 2]
    assert [content.frame(number).image.shape for number in (0, 1)] == [(2, 4, 3), (1, 1, 3)]


def test_sizes_as_published() -> None:
    assert nominal("[database]\nType=GTSRB_DIR_Database\n") == 39209
    assert nominal("[database]\nType=GTSRB_DIR_Database\nValidation=0.2\n") == 31367
    assert nominal("[database]\nType=GTSDB_DIR_Database\nLearn=0.5\n") == 450


def test_wrong_trees_of_signs(gtsrb: Path) -> None:
    inside = gtsrb / "Final_Training" / "Images" / "00001"
    table = inside / "GT-00001.csv"
    good = table.read_text()
    table.write_text(good.replace(";1\n", ";0\n", 1))
    refused(GTSRB, "in the folder of class 00001, but has the label 0", "GT-00001.csv", kind=DataError)
    table.write_text(good.replace("1;2;5;4;1", "1;2;5;4", 1))
    refused(GTSRB, "GT-00001.csv:2", "7 values, 8 are expected", kind=DataError)
    table.write_text(HTML)
    refused(GTSRB, "a web page", "GT-00001.csv", kind=DataError)
    table.unlink()
    refused(GTSRB, "no file GT-00001.csv", "GTSRB_Final_Training_Images.zip", kind=DataError)
    table.write_text(good)
    (gtsrb / "GT-final_test.csv").unlink()
    refused(GTSRB, "GT-final_test.csv does not exist", "GTSRB_Final_Test_GT.zip", kind=DataError)
    gtsrb.rename(gtsrb.with_name("other"))
    refused(GTSRB, "GTSRB/Final_Training/Images does not exist", "N2D2_DATA", kind=DataError)


def test_signs_to_find(tmp_path: Path) -> None:
    folder = images(tmp_path / "FullIJCNN2013", ["00000.ppm", "00001.ppm", "00002.ppm"])
    images(folder / "00", ["00000.ppm"])
    text(folder / "gt.txt", "00001.ppm;1;1;3;3;11\n00001.ppm;4;0;8;2;40\n")
    content = load(
        "[database]\nType=GTSDB_DIR_Database\nRandomPartitioning=0\nLearn=0.34\nValidation=0.33\nDefaultLabel=none\n"
    )
    assert sizes(content) == [1, 1, 1]
    assert labels(content, "Validation") == [None]
    assert content.label_names == ["none", "11", "40"]
    assert boxes(content, 1) == [("11", (1, 1, 3, 3)), ("40", (4, 0, 8, 2))]
    assert content.frame(1).labels[1].tolist() == [0, 1, 1, 0, 2, 2, 2, 2]
    base = "[database]\nType=GTSDB_DIR_Database\n"
    refused(base, "missing key Learn", kind=ParameterError)
    text(folder / "gt.txt", "00001.ppm;1;1;3;3\n")
    refused(f"{base}Learn=1\n", "gt.txt:1", "5 values, 6 are expected", kind=DataError)
    (folder / "gt.txt").unlink()
    refused(f"{base}Learn=1\n", "gt.txt does not exist", "N2D2_DATA", kind=DataError)
