from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from n2d2py.errors import DataError

from .trees import HTML, boxes, images, labels, listing, load, names, nominal, refused, sizes, text


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    monkeypatch.delenv("CITYSCAPES_DATASET", raising=False)


def section(kind: str, lines: str = "") -> str:
    return f"[database]\nType={kind}_Database\nRandomPartitioning=0\n{lines}"


TRACK = "0 2 Car 0 0 -1.7 1.9 2.0 5.5 4.0 1.5 1.6 3.9 0 1 2 0\n1 -1 DontCare -1 -1 -10 0 0 3 3 -1 -1 -1 0 0 0 0\n"


@pytest.fixture
def tracking(tmp_path: Path) -> Path:
    folder = tmp_path / "KITTI" / "training"
    for sequence in ("0000", "0019", "0020"):
        images(folder / "image_02" / sequence, ["000000.png", "000001.png"])
        text(folder / "label_02" / f"{sequence}.txt", TRACK)
    return folder


def test_kitti_tracking(tracking: Path) -> None:
    before = listing(tracking)
    content = load(section("KITTI", "Learn=0.75\n"))
    assert sizes(content) == [3, 1, 2]
    assert names(content, "Test", tracking / "image_02") == ["0020/000000.png", "0020/000001.png"]
    assert boxes(content, 0) == [("Car", (1, 2, 5, 4))]
    assert boxes(content, 1) == [(None, (0, 0, 3, 3))]
    assert content.frame(0).labels[2].tolist() == [-1, 0, 0, 0, 0, -1, -1, -1]
    refused(section("KITTI", "Validation=0.2\n"), "unknown parameter Validation", "net.ini:4")
    assert nominal(section("KITTI")) == 5737
    assert listing(tracking) == before
    text(tracking / "label_02" / "0019.txt", "0 2 Car 0\n")
    refused(section("KITTI"), "0019.txt:1", "4 values", kind=DataError)
    (tracking / "label_02" / "0019.txt").unlink()
    refused(section("KITTI"), "0019.txt does not exist", kind=DataError)


def test_kitti_objects(tmp_path: Path, said: list[str]) -> None:
    folder = tmp_path / "KITTI_OBJECT"
    images(folder / "training" / "image_2", [f"{number:06d}.png" for number in range(5)])
    for number in range(5):
        text(folder / "training" / "label_2" / f"{number:06d}.txt", "Car 0 0 -1.7 1 2 5 4 1 1 1 0 0 0 0\n")
    assert sizes(load(section("KITTI_Object"))) == [4, 1, 0]
    assert any("nothing is tested" in line for line in said)
    images(folder / "testing" / "image_2", ["000000.png"])
    content = load(section("KITTI_Object"))
    assert sizes(content) == [4, 1, 1]
    assert labels(content, "Test") == [None]
    assert nominal(section("KITTI_Object")) == 5985
    text(folder / "training" / "label_2" / "000003.txt", "Car 0 0 -1.7 1 2 5 low\n")
    refused(section("KITTI_Object"), "000003.txt:1", "'low' is not a number", kind=DataError)


def test_kitti_road(tmp_path: Path) -> None:
    folder = tmp_path / "KITTI" / "data_road"
    images(folder / "training" / "image_2", ["um_000000.png", "uu_000001.png"])
    images(folder / "testing" / "image_2", ["um_000000.png"])
    mask = np.zeros((6, 8, 3), np.uint8)
    mask[:, 2:] = (0, 0, 255)
    mask[3:, 4:] = (255, 0, 255)
    for name in ("um_road_000000.png", "uu_road_000001.png"):
        (folder / "training" / "gt_image_2").mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "training" / "gt_image_2" / name), mask)
    content = load(section("KITTI_Road", "Learn=0.5\n"))
    assert sizes(content) == [1, 1, 1]
    assert content.label_names == ["non-road", "road"]
    assert content.frame(0).labels[5].tolist() == [-1, -1, 0, 0, 1, 1, 1, 1]
    assert nominal(section("KITTI_Road")) == 231
    cv2.imwrite(str(folder / "training" / "gt_image_2" / "uu_road_000001.png"), mask[..., 0])
    refused(section("KITTI_Road"), "not a colour image", "uu_road_000001.png", kind=DataError)
    (folder / "training" / "gt_image_2" / "uu_road_000001.png").unlink()
    refused(section("KITTI_Road"), "uu_road_000001.png does not exist", "LabelPath", kind=DataError)


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    folder = tmp_path / "Cityscapes"
    outlines = {"objects": [
        {"label": "road", "polygon": [[0, 0], [7, 0], [7, 2], [0, 2]]},
        {"label": "cargroup", "polygon": [[1, 1], [2.9, 1], [2, 2]]},
        {"label": "sky", "polygon": [[0, 0]], "deleted": 1},
        {"label": "polegroup", "polygon": [[0, 5], [7, 5], [7, 5]]},
    ]}  # fmt: skip
    for part, town in (
        ("train", "aachen"),
        ("train", "bochum"),
        ("val", "lindau"),
        ("test", "berlin"),
        ("train_extra", "erfurt"),
    ):
        images(folder / "leftImg8bit" / part / town, [f"{town}_0_leftImg8bit.png"])
        quality = "gtCoarse" if part == "train_extra" else "gtFine"
        if part != "test":
            text(folder / quality / part / town / f"{town}_0_{quality}_polygons.json", json.dumps(outlines))
    return folder


def test_cityscapes(cityscapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = load(section("Cityscapes"))
    assert sizes(content) == [2, 1, 1]
    assert len(content.label_names) == 35
    assert (content.label_names[0], content.label_names[7], content.label_names[-1]) == (
        "unlabeled",
        "road",
        "license plate",
    )
    assert [label for label, _ in boxes(content, 0)] == ["road", "car", "polegroup"]
    assert content.frame(0).labels[1, :4].tolist() == [7, 26, 26, 7]
    assert boxes(content, 3) == []
    content = load(section("Cityscapes", "IncTrainExtra=1\nSingleInstanceLabels=0\n"))
    assert names(content, "Learn", cityscapes / "leftImg8bit")[2] == "train_extra/erfurt/erfurt_0_leftImg8bit.png"
    assert content.label_names[35] == "cargroup"
    assert (nominal(section("Cityscapes")), nominal(section("Cityscapes", "IncTrainExtra=1\n"))) == (2975, 22973)
    refused(section("Cityscapes", "UseCoarse=1\n"), "gtCoarse_polygons.json does not exist", kind=DataError)
    cityscapes.rename(cityscapes.with_name("elsewhere"))
    monkeypatch.setenv("CITYSCAPES_DATASET", str(cityscapes.with_name("elsewhere")))
    assert sizes(load(section("Cityscapes"))) == [2, 1, 1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"objects": [\n{"label": "road"', ["polygons.json:2", "unreadable outlines"]),
        ('{"objects": [{"label": "road"}]}', ["KeyError", "polygon"]),
        ('{"objects": [{"label": 3, "polygon": []}]}', ["3 is not the name of a label"]),
        ('{"objects": [{"label": "road", "polygon": [[1]]}]}', ["unreadable outlines"]),
        ("[]", ["unreadable outlines"]),
        (HTML, ["a web page"]),
    ],
)
def test_wrong_outlines(cityscapes: Path, content: str, words: list[str]) -> None:
    text(cityscapes / "gtFine" / "train" / "aachen" / "aachen_0_gtFine_polygons.json", content)
    refused(section("Cityscapes"), *words, "polygons.json", kind=DataError)


@pytest.fixture
def pedestrians(tmp_path: Path) -> Path:
    folder = tmp_path / "CaltechPedestrians" / "data-USA"
    for part in ("set00", "set06"):
        images(folder / "images" / part / "V000", ["I00000.jpg"])
        rows = (
            "% bbGt version=3\n"
            "person 1 2 3 4 0 0 0 0 0 0 0\n"
            "people -2 1 4 2 0 0 0 0 0 0 0\n"
            "person-fa 0 0 1 1 0 0 0 0 0 0 0\n"
            "person? 4 0 2 2 0 0 0 0 0 0 0\n"
            "person 600 400 100 100 1 610 410 20 30 0 0\n"
            "person 600 400 100 100 0 0 0 0 0 0 0\n"
        )
        text(folder / "annotations" / part / "V000" / "I00000.txt", rows)
    return folder


def test_caltech_pedestrians(pedestrians: Path) -> None:
    content = load(section("CaltechPedestrian"))
    assert sizes(content) == [1, 0, 1]
    assert names(content, "Test", pedestrians) == ["images/set06/V000/I00000.jpg"]
    assert boxes(content, 0) == [
        ("person", (1, 2, 4, 6)),
        ("person", (0, 1, 2, 3)),
        (None, (4, 0, 6, 2)),
        ("person", (610, 410, 630, 440)),
        ("person", (600, 400, 640, 480)),
    ]
    content = load(section("CaltechPedestrian", "SingleLabel=0\nIncAmbiguous=1\nValidation=1\n"))
    assert [label for label, _ in boxes(content, 0)] == ["person", "people", "person", "person", "person"]
    assert sizes(content) == [0, 1, 1]
    annotation = pedestrians / "annotations" / "set00" / "V000" / "I00000.txt"
    text(annotation, "person 1 2\n")
    refused(section("CaltechPedestrian"), "I00000.txt:1", "3 values, 12 are expected", kind=DataError)
    annotation.unlink()
    refused(section("CaltechPedestrian"), "I00000.txt does not exist", kind=DataError)


def test_daimler_cut_out(tmp_path: Path) -> None:
    folder = tmp_path / "Daimler_pedestrian" / "DaimlerBenchmark" / "Data"
    for name, count in (("Pedestrians/48x96", 2), ("Pedestrians/18x36", 1), ("NonPedestrians", 2)):
        images(folder / "TrainingData" / name, [f"{number}.pgm" for number in range(count)])
    content = load(section("Daimler", "Learn=0.6\nTest=0.4\n"))
    assert labels(content, "Learn") == ["pedestrian"] * 3
    assert labels(content, "Test") == ["background"] * 2
    (folder / "TrainingData" / "NonPedestrians").rename(folder / "gone")
    refused(section("Daimler"), "NonPedestrians does not exist", "N2D2_DATA", kind=DataError)


def test_daimler_drive(tmp_path: Path) -> None:
    folder = tmp_path / "Daimler_pedestrian" / "DaimlerBenchmark"
    images(folder / "Data" / "TestData", ["img_00000.pgm", "img_00001.pgm"])
    boxes_file = folder / "GroundTruth" / "GroundTruth2D.db"
    objects = "# 0\n1 1\n1.0\n1 2 5 4\n0\n# 10\n2 2\n1.0\n5 0 8 3\n"
    rows = f":\ntest\n/path\n2\n;\nimg_00001.pgm\n8 6\n0 2\n{objects};\nimg_00000.pgm\n8 6\n0 0\n"
    text(boxes_file, rows)
    content = load(section("Daimler", "Fully=1\n"))
    assert sizes(content) == [2, 0, 0]
    assert boxes(content, 0) == []
    assert boxes(content, 1) == [("pedestrian", (1, 2, 5, 4)), (None, (5, 0, 8, 3))]
    text(boxes_file, rows.replace("1 2 5 4", "5 4 1 2"))
    refused(section("Daimler", "Fully=1\n"), "GroundTruth2D.db:12", "before the first one", kind=DataError)
    text(boxes_file, ":\n;\n")
    refused(section("Daimler", "Fully=1\n"), "ends after a mark of an image", kind=DataError)


def test_dota(tmp_path: Path) -> None:
    folder = tmp_path / "DOTA"
    for part, count in (("train", 2), ("val", 1)):
        images(folder / part / "images", [f"P{number}.png" for number in range(count)])
        for number in range(count):
            rows = "1 1 4 1 4 3 1 3 ship 0\n0.0 0.0 2.0 0.0 2.0 2.0 0.0 2.0 small-vehicle 1\n"
            text(folder / part / "labelTxt" / f"P{number}.txt", f"imagesource:GoogleEarth\ngsd:0.14\n{rows}")
    content = load(section("DOTA", "Learn=0.5\n"))
    assert sizes(content) == [1, 1, 2]
    assert content.label_names == ["ship", "small-vehicle"]
    assert boxes(content, 0) == [("ship", (1, 1, 5, 4)), ("small-vehicle", (0, 0, 3, 3))]
    assert sizes(load(section("DOTA", "Learn=0.5\nUseValidationForTest=0\n"))) == [1, 1, 1]
    assert nominal(section("DOTA", "Learn=0.5\n")) == 706
    text(folder / "val" / "labelTxt" / "P0.txt", "1 1 4 1 4 3 1 ship 0\n")
    refused(section("DOTA", "Learn=1\n"), "P0.txt:1", "'ship' is not a number", kind=DataError)
    text(folder / "val" / "labelTxt" / "P0.txt", "1 1\n")
    refused(section("DOTA", "Learn=1\n"), "P0.txt:1", "2 values, 10 are expected", kind=DataError)
    (folder / "val" / "labelTxt" / "P0.txt").unlink()
    refused(section("DOTA", "Learn=1\n"), "P0.txt does not exist", kind=DataError)


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        ("KITTI", "KITTI/training/image_02"),
        ("KITTI_Object", "KITTI_OBJECT/training/image_2"),
        ("KITTI_Road", "KITTI/data_road/training/image_2"),
        ("Cityscapes", "Cityscapes/leftImg8bit/train"),
        ("CaltechPedestrian", "CaltechPedestrians/data-USA/images"),
        ("Daimler", "Data/TrainingData/Pedestrians/48x96"),
        ("DOTA", "DOTA/train/images"),
    ],
)
def test_nothing_is_there(kind: str, folder: str) -> None:
    learn = "Learn=1\n" if kind not in ("Cityscapes", "CaltechPedestrian") else ""
    refused(section(kind, learn), f"{folder} does not exist", "N2D2_DATA", "net.ini:1", kind=DataError)
