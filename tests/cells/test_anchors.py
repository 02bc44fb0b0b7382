"""Anchors: the keys that define them, and where they lie."""

from __future__ import annotations

import math

import pytest

from n2d2py.cells.anchors import ANCHORINGS, Box, Shape, json_of, shaped
from n2d2py.errors import ParameterError
from tests.cells.reading import cell

HEAD = "DetectorType=SSD|"


@pytest.mark.parametrize("root", [8, 16, 33])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 0.3])
def test_size(root: int, ratio: float) -> None:
    box = shaped(root, ratio, 1.0, "TopLeft")
    width = math.floor(math.sqrt(root**2 / ratio) + 0.5)
    assert box == Box(0, 0, width, math.floor(width * ratio + 0.5))
    assert abs(box.width * box.height / root**2 - 1) < 0.2
    twice = shaped(root, ratio, 2.0, "TopLeft")
    assert (twice.width, twice.height) == (2 * box.width, 2 * box.height)


@pytest.mark.parametrize("anchoring", ANCHORINGS)
def test_place(anchoring: str) -> None:
    box = shaped(16, 2.0, 1.0, anchoring)
    corner = (box.x, box.y)
    centre = (box.x + box.width / 2, box.y + box.height / 2)
    if anchoring == "TopLeft":
        assert corner == (0, 0)
    else:
        assert centre == {"Centered": (0, 0), "Original": (8, 8), "OriginalFlipped": (-8, -8)}[anchoring]


def test_published_anchors() -> None:
    # Ren et al. 2015, code of the paper: root area 16, ratio 0.5, scale 8 has corners (-84, -40) and (99, 55),
    # both of which belong to the box.
    assert shaped(16, 0.5, 8.0, "Original") == Box(-84.0, -40.0, 184.0, 96.0)
    assert shaped(16, 2.0, 8.0, "Original") == Box(-36.0, -80.0, 88.0, 176.0)


def test_forms() -> None:
    anchor = cell("Anchor", HEAD + "Anchor[0]=16 0.5|Anchor[1]=32 1|Anchoring=Centered")
    assert anchor.boxes == (Box(-11.5, -6.0, 23.0, 12.0), Box(-16.0, -16.0, 32.0, 32.0))
    given = cell("Anchor", HEAD + "AnchorBBOX[0]=-2 -3.5 8 9|Anchoring=Centered")
    assert given.boxes == (Box(-2.0, -3.5, 8.0, 9.0),)
    corner = cell("Anchor", HEAD + "AnchorXY[0]=-3 -4")
    assert corner.boxes == (Box(-3.0, -4.0, 6.0, 8.0),)
    made = cell("Anchor", HEAD + "RootArea=10|Ratios=1 4|Scales=1 2")
    assert [tuple(box[2:]) for box in made.boxes] == [(10, 10), (20, 20), (5, 20), (10, 40)]
    assert made.nb_outputs == 24


def test_order_is_that_of_the_numbers() -> None:
    lines = "|".join(f"Anchor[{number}]={10 + number} 1" for number in reversed(range(12)))
    assert [shape.numbers[0] for shape in cell("Anchor", HEAD + lines).shapes] == list(range(10, 22))


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("Anchor[1]=16 1", r"Anchor\[1\] stands without Anchor\[0\]"),
        ("Anchor[0]=16 1|Anchor[2]=16 1", r"Anchor\[2\] stands without Anchor\[1\]"),
        ("Anchor[0]=16 1|Anchor[x]=16 1", r"Anchor\[x\] stands without Anchor\[1\]"),
        ("Anchor[0]=16 1|Anchor[00]=16 1", r"Anchor\[00\] stands without Anchor\[1\]"),
        ("Anchor[0]=16", r"1 values are given, 2 are needed"),
        ("Anchor[0]=16 0", "sizes, above 0"),
        ("AnchorBBOX[0]=1 1 -2 3", "sizes, above 0"),
        ("AnchorXY[0]=1 0", "width or height 0"),
        ("Anchor[0]=16 1|AnchorXY[0]=1 1", "anchors are given as Anchor and as AnchorXY"),
        ("Anchor[0]=16 1|Ratios=1", "anchors are given as Anchor and as Ratios"),
        ("Ratios=1 -1", "-1 is not above 0"),
        ("RootArea=16", "has no anchor"),
        ("Ratios=1|NbClass=0", "NbClass=0"),
        ("Ratios=1|AnchorJSON=anchors.json", "anchors are given as AnchorJSON and as Ratios"),
        ("Anchor[0]=16 1|AnchorJSON=anchors.json", "anchors are given as Anchor and as AnchorJSON"),
        ("AnchorJSON=/nowhere/anchors.json", "cannot read the anchors of /nowhere/anchors.json: No such file"),
        ("Ratios=1|JSONFormat=XY", "JSONFormat=XY is not available"),
        ("GenerateAnchors=1", "a cell has its anchors before anything is known of the data"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what) as caught:
        cell("Anchor", HEAD + lines)
    assert "net.ini" in str(caught.value)


def test_shape_by_itself() -> None:
    assert Shape("Anchor", (16.0, 1.0)).box("TopLeft") == Box(0.0, 0.0, 16.0, 16.0)


def test_a_file_of_anchors(tmp_path) -> None:
    file = tmp_path / "anchors.json"
    file.write_text(json_of([(10.0, 20.5), (30.0, 4.0)]), encoding="utf-8")
    read = cell("Anchor", HEAD + f"AnchorJSON={file}|Anchoring=Centered")
    assert read.boxes == (Box(-5.0, -10.25, 10.0, 20.5), Box(-15.0, -2.0, 30.0, 4.0))
    assert read.nb_outputs == 12
    reverse = cell("Anchor", HEAD + f"AnchorJSON={file}|JSONFormat=XY")
    assert reverse.boxes == (Box(0.0, 0.0, 20.5, 10.0), Box(0.0, 0.0, 4.0, 30.0))
    beside = cell("Anchor", HEAD + f"AnchorJSON={file}|Anchoring=Original|RootArea=8")
    assert beside.boxes[0] == Box(-1.0, -6.25, 10.0, 20.5)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "[[1, 2, 3]]", "[[1, 0]]", "[[1, true]]", '[["1", 2]]', "[[1, Infinity]]", "[" * 100000]
)
def test_a_file_that_is_none_of_anchors(tmp_path, content: str) -> None:
    file = tmp_path / "anchors.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match="is no file of anchors"):
        cell("Anchor", HEAD + f"AnchorJSON={file}")
