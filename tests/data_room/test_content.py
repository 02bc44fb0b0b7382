from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from n2d2py.data.content import Content, Loading
from n2d2py.data.random import Generator
from n2d2py.data.rois import Bitmap, Circle, Ellipse, cropped, rectangle
from n2d2py.errors import DataError, ParameterError


def image(folder: Path, name: str, value: int = 0, shape: tuple[int, ...] = (6, 8, 3), dtype: str = "uint8") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full(shape, value, dtype))
    return str(path)


def content(mode: str = "Auto", **options: object) -> Content:
    return Content(Generator(1), False, (), Loading(composite_label=mode, **options))  # type: ignore[arg-type]


def test_labels_get_ids_at_first_use(tmp_path: Path) -> None:
    found = content(default_label="ground")
    paths = [image(tmp_path, f"{index}.png", index) for index in range(4)]
    assert found.add_files(paths, ["b", "a", None, "b"]) == range(4)
    assert found.label_names == ["ground", "b", "a"]
    assert found.labels.tolist() == [1, 2, -1, 1]
    assert [int(found.frame(index).image[0, 0, 0]) for index in range(4)] == [0, 1, 2, 3]
    assert found.name(2) == paths[2]
    assert found.frame(1).labels.tolist() == [[2]]
    assert found.frame(2).labels.shape == (6, 8)
    assert not found.plain()
    with pytest.raises(ValueError, match="no stimulus 4"):
        found.name(4)


def test_files_in_memory_are_read_once(tmp_path: Path) -> None:
    path = image(tmp_path, "x.png", 7)
    found = Content(Generator(1), in_memory=True)
    found.add_files([path], ["a"])
    found.frame(0)
    Path(path).unlink()
    assert int(found.frame(0).image[0, 0, 0]) == 7


def test_the_first_stimulus_decides_the_depth(tmp_path: Path) -> None:
    found = content()
    found.add_files([image(tmp_path, "a.png", 65535, dtype="uint16"), image(tmp_path, "b.png", 255)], ["a", "a"])
    assert found.depth == np.uint16
    assert set(found.frame(1).image.ravel().tolist()) == {65535}
    found = content()
    found.add_files([image(tmp_path, "b.png", 255), image(tmp_path, "c.png", 129, dtype="uint16")], ["a", "a"])
    assert set(found.frame(1).image.ravel().tolist()) == {1}  # 129 / 257, rounded


@pytest.mark.parametrize(
    ("mode", "label", "rois", "expected"),
    [
        ("None", "a", True, [[0]]),
        ("Default", "a", True, [[1, 1, 1, 1], [1, 2, 2, 1]]),
        ("Default", "a", False, [[1, 1, 1, 1], [1, 1, 1, 1]]),
        ("Disjoint", "a", True, [[1, 1, 1, 1], [1, 2, 2, 1]]),
        ("Disjoint", "a", False, [[0, 0, 0, 0], [0, 0, 0, 0]]),
        ("Combine", "a", True, [[0, 0, 0, 0], [0, 2, 2, 0]]),
        ("Combine", "a", False, [[0, 0, 0, 0], [0, 0, 0, 0]]),
        ("Combine", None, True, [[-1, -1, -1, -1], [-1, 2, 2, -1]]),
        ("Disjoint", None, False, [[-1, -1, -1, -1], [-1, -1, -1, -1]]),
        ("None", None, True, [[-1]]),
        ("Auto", None, True, [[1, 1, 1, 1], [1, 2, 2, 1]]),
        ("Auto", None, False, [[1, 1, 1, 1], [1, 1, 1, 1]]),
        ("Auto", "a", False, [[0]]),
    ],
)
def test_labels_of_pixels(tmp_path: Path, mode: str, label: str | None, rois: bool, expected: list[list[int]]) -> None:
    found = Content(Generator(1), False, ("a", "ground", "car"), Loading("ground", 0, mode))
    path = image(tmp_path, "x.png", shape=(2, 4, 3))
    found.add_files([path], [label], [(rectangle(2, 1, 1, 3, 2),)] if rois else None)
    assert found.frame(0).labels.tolist() == expected


def test_a_ring_around_regions_is_ignored(tmp_path: Path) -> None:
    found = Content(Generator(1), False, ("ground", "car"), Loading("ground", 1, "Default"))
    found.add_files([image(tmp_path, "x.png", shape=(7, 7, 3))], ["ground"], [(rectangle(1, 3, 3, 4, 4),)])
    labels = found.frame(0).labels
    assert labels[3, 3] == 1
    assert labels[0].tolist() == [0] * 7
    assert labels[3, 2] == labels[2, 3] == -1


def test_a_ring_leaves_what_is_not_the_default_label(tmp_path: Path) -> None:
    regions = [(rectangle(1, 0, 0, 3, 7), rectangle(2, 4, 2, 6, 4))]
    found = Content(Generator(1), False, ("ground", "car", "bus"), Loading("ground", 2, "Default"))
    found.add_files([image(tmp_path, "x.png", shape=(7, 9, 3))], ["ground"], regions)
    labels = found.frame(0).labels
    assert labels[3].tolist() == [1, 1, 1, -1, 2, 2, -1, -1, 0]
    # Base values that are not the default label are not rings either.
    combined = Content(Generator(1), False, ("ground", "car", "bus"), Loading("ground", 2, "Combine"))
    combined.add_files([image(tmp_path, "x.png", shape=(7, 9, 3))], ["bus"], [(rectangle(1, 0, 0, 3, 7),)])
    assert combined.frame(0).labels[3].tolist() == [1, 1, 1, 2, 2, 2, 2, 2, 2]


def test_a_labelled_stimulus_is_cropped_to_its_region(tmp_path: Path) -> None:
    found = content()
    path = image(tmp_path, "x.png", shape=(6, 8, 3))
    rois = [(rectangle(1, 2, 1, 5, 4),), (rectangle(1, 6, 4, 20, 20),), (rectangle(0, 0, 0, 1, 1),) * 2]
    found.add_files([path] * 3, ["a", "a", "a"], rois)
    found.label_id("b")
    frame = found.frame(0)
    assert (frame.image.shape, frame.labels.tolist(), frame.rois) == ((3, 3, 3), [[1]], ())
    assert found.stimulus_labels(np.array([0, 2])).tolist() == [1, 0]
    assert found.frame(1).image.shape == (2, 2, 3)
    with pytest.raises(DataError, match="2 regions with a label") as error:
        found.frame(2)
    assert "x.png" in str(error.value)


def test_channels_of_files_of_their_own(tmp_path: Path) -> None:
    red = image(tmp_path, "red/1.png", 10, (3, 4))
    image(tmp_path, "nir/1.png", 20, (3, 4))
    found = content(channel_match="(.*)red(.*)", channel_names=("$1red$2", "$1nir$2", "$1none$2"))
    found.add_files([red], ["a"])
    assert found.frame(0).image[1, 1].tolist() == [10, 20, 0]
    image(tmp_path, "nir/1.png", 20, (3, 5))
    with pytest.raises(DataError, match="a channel is 5x3 8U, the image of reference"):
        found.frame(0)
    found = content(channel_match="(", channel_names=("x",))
    found.add_files([red], ["a"])
    with pytest.raises(ParameterError, match="not a regular expression"):
        found.frame(0)


def test_labels_that_are_dropped_leave_no_gap() -> None:
    found = Content(Generator(1), False)
    found.append(np.zeros((6, 2, 2), np.uint8), np.array([0, 1, 2, 0, 1, 2]), "x")
    found.partition.split(1, 0, 0)
    found.keep_labels([0, 2])
    assert (found.label_names, found.labels.tolist()) == (["0", "2"], [0, -1, 1, 0, -1, 1])
    assert found.partition.sets["Learn"] == [0, 2, 3, 5]
    assert found.label_id("2") == 1


def test_one_database_behind_another(tmp_path: Path) -> None:
    first, second = Content(Generator(1), False), Content(Generator(1), False)
    first.append(np.zeros((2, 6, 8, 3), np.uint8), np.array([0, 1]), "x", suffix=".ppm")
    first.partition.split(1, 0, 0)
    second.add_files([image(tmp_path, "y.png", 9)], ["1"], [(rectangle(0, 1, 1, 3, 3),)])
    second.partition.split(0, 0, 1)
    first.extend(second)
    assert first.label_names == ["0", "1", "1"]
    assert first.labels.tolist() == [0, 1, 2]
    assert first.partition.sets == {"Learn": [0, 1], "Validation": [], "Test": [2]}
    assert (first.name(1), first.name(2)) == ("x[00001].ppm", str(tmp_path / "y.png"))
    assert first.frame(2).image.shape == (2, 2, 3)
    assert first.frame(2).labels.tolist() == [[2]]


def test_circles_ellipses_and_bitmaps() -> None:
    labels = np.zeros((9, 9), np.int32)
    Circle(3, 4, 4, 2).paint(labels, 3)
    assert (labels[4, 2], labels[4, 6], labels[1, 4]) == (3, 3, 0)
    assert Circle(3, 4, 4, 2).box() == (2, 2, 7, 7)
    with pytest.raises(DataError, match="a circle cannot be rescaled by 2 and 3"):
        Circle(3, 4, 4, 2).rescaled(2, 3)
    ellipse = Ellipse(1, 4, 4, 3, 1, 0.0)
    assert ellipse.box() == (1, 3, 8, 6)
    assert ellipse.rescaled(2, 2) == Ellipse(1, 8, 8, 6, 2, 0.0)
    mask = np.array([[1, 0], [1, 1]], bool)
    labels[:] = 0
    Bitmap(2, mask, 7, 8).paint(labels, 2)
    assert labels[8].tolist() == [0] * 7 + [2, 0]
    flipped = Bitmap(2, mask, 0, 0).flipped(9, 9, True, False)
    assert isinstance(flipped, Bitmap)
    assert (flipped.x, flipped.mask.tolist()) == (7, [[False, True], [True, True]])


def test_rings_of_round_regions_are_larger_ones() -> None:
    for small, large in (
        (Circle(1, 8, 8, 2), Circle(1, 8, 8, 5)),
        (Ellipse(1, 8, 8, 4, 2, 0.3), Ellipse(1, 8, 8, 7, 5, 0.3)),
    ):
        ring, expected = np.zeros((17, 17), np.int32), np.zeros((17, 17), np.int32)
        small.paint(ring, -1, 3)
        large.paint(expected, -1)
        assert np.array_equal(ring, expected)
        assert (ring == -1).any()


def test_rescaled_regions_are_truncated() -> None:
    assert rectangle(1, 1, 1, 6, 8).rescaled(0.5, 0.5).box() == (0, 0, 3, 4)
    assert Circle(1, 5, 3, 3).rescaled(0.5, 0.5) == Circle(1, 2, 1, 1)
    ellipse = Ellipse(1, 5, 7, 4, 4, math.pi / 4).rescaled(2, 1)
    assert isinstance(ellipse, Ellipse)
    assert ellipse.angle == pytest.approx(math.atan(1 / 2 * math.tan(math.pi / 4)))
    assert (ellipse.x, ellipse.y) == (10, 7)


def test_flipped_round_regions_are_mirrored_at_the_width() -> None:
    assert Circle(1, 2, 3, 1).flipped(9, 7, True, False) == Circle(1, 7, 3, 1)
    assert Ellipse(1, 2, 3, 4, 1, 0.5).flipped(9, 7, False, True) == Ellipse(1, 2, 4, 4, 1, -0.5)
    assert Ellipse(1, 2, 3, 4, 1, 0.5).flipped(9, 7, True, True) == Ellipse(1, 7, 4, 4, 1, 0.5)


def test_regions_outside_of_a_part_are_dropped() -> None:
    regions = (rectangle(1, 0, 0, 2, 2), rectangle(2, 3, 3, 9, 9), rectangle(3, 20, 0, 22, 2))
    left = cropped(regions, 3, 3, 5, 5)
    assert [(roi.label, roi.box()) for roi in left] == [(2, (0, 0, 6, 6))]


def test_a_missing_label_of_a_default_is_minus_one(tmp_path: Path) -> None:
    found = content()
    found.add_files([image(tmp_path, "x.png", shape=(2, 3, 3))], [None])
    assert found.frame(0).labels.tolist() == [[-1] * 3] * 2
