from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import DataError, ParameterError

from .trees import HTML, boxes, images, labels, load, names, nominal, refused, sizes, text


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))


def section(kind: str, lines: str = "") -> str:
    return f"[database]\nType={kind}_Database\nRandomPartitioning=0\n{lines}"


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    folder = tmp_path / "IMDB-WIKI"
    for part in ("wiki", "wiki_crop", "imdb"):
        images(folder / part, ["00/a.jpg", "00/b.jpg", "01/c.jpg"])
    rows = (
        "# path;name;x0;y0;x1;y1;birth;photo_taken;gender\n"
        "00/a.jpg;Tom &amp; Jo;2.7;1;6;5;1970;2004;1\n"
        "00/b.jpg;Nobody;1;1;8;6;1970;2004;1\n"
        "01/c.jpg;;0;0;4;4;1970;1997.5;0;extra\n"
    )
    text(folder / "imdb_metadata" / "wiki.csv", rows)
    text(folder / "imdb_metadata" / "imdb.csv", "00/b.jpg;B;0;0;2;2;2010;2000;nan\n")
    return folder


def test_ages_of_faces(wiki: Path) -> None:
    content = load(section("IMDBWIKI", "DefaultLabel=background\n"))
    assert names(content, "Learn", wiki) == ["wiki/00/a.jpg", "wiki/01/c.jpg"]
    assert labels(content, "Learn") == [None, None]
    assert content.label_names == ["background", "M-34", "F-27.5"]
    assert boxes(content, 0) == [("M-34", (2, 1, 6, 5))]
    content = load(section("IMDBWIKI", "CropFrame=1\nIMDBSet=0\nLearn=0.5\nValidation=0.5\n"))
    assert names(content, "Validation", wiki) == ["wiki_crop/01/c.jpg"]
    assert (labels(content, "Learn"), content.rois) == (["M-34"], {})


def test_names_of_faces_and_both_sets(wiki: Path) -> None:
    content = load(section("IMDBWIKI", "IMDBSet=1\n"))
    assert names(content, "Learn", wiki) == ["imdb/00/b.jpg", "wiki/00/a.jpg", "wiki/01/c.jpg"]
    assert content.label_names == ["?-?", "M-34", "F-27.5"]
    content = load(section("IMDBWIKI", "UseNameAsLabel=1\nCropFrame=1\n"))
    assert labels(content, "Learn") == ["Tom & Jo", ""]
    refused(section("IMDBWIKI", "WikiSet=0\n"), "neither WikiSet nor IMDBSet", "net.ini:4", kind=ParameterError)
    assert nominal(section("IMDBWIKI")) is None


def test_target_data_are_the_borders_of_faces(wiki: Path, build: Callable[..., Stimuli]) -> None:
    text = section("IMDBWIKI", "CompositeLabel=None\n") + "[sp]\nSize=4 3 3\nBatchSize=2\nTargetSize=4 1 1\n"
    rescale = "[sp.Transformation]\nType=RescaleTransformation\nWidth=4\nHeight=3\n"
    flip = "[sp.Transformation-2]\nType=FlipTransformation\nHorizontalFlip=1\n"
    batch = next(build(text + rescale).passes("Learn"))
    assert batch.target_data is not None
    # Faces of (2, 1) to (6, 5) and (0, 0) to (4, 4) in images of 8x6 pixels, whose corners are halved and truncated.
    found = batch.target_data[:, 0, 0].tolist()
    assert found == [pytest.approx([1 / 4, 3 / 4, 0, 1]), pytest.approx([0, 2 / 4, 0, 2 / 3])]
    turned = next(build(text + rescale + flip).passes("Learn")).target_data
    assert turned is not None
    assert turned[1, 0, 0].tolist() == pytest.approx([2 / 4, 1, 0, 2 / 3])
    with pytest.raises(DataError, match="TargetSize wants 2 values"):
        build(text.replace("=4 1 1", "=2 1 1") + rescale)
    with pytest.raises(ParameterError, match="the database has no target data"):
        build(text.replace("CompositeLabel=None", "CropFrame=1") + rescale)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("00/a.jpg;A;0;0;4;4;1970;2004\n", ["wiki.csv:1", "8 values, at least 9"]),
        ("00/a.jpg;A;x;0;4;4;1970;2004;1\n", ["wiki.csv:1", "'x' is not a number"]),
        ("00/z.jpg;A;0;0;4;4;1970;2004;1\n", ["00/z.jpg does not exist", "wiki.csv:1"]),
        ("# nothing\n", ["nothing to load"]),
        (HTML, ["a web page"]),
    ],
)
def test_wrong_tables_of_faces(wiki: Path, rows: str, words: list[str]) -> None:
    text(wiki / "imdb_metadata" / "wiki.csv", rows)
    refused(section("IMDBWIKI"), *words, kind=DataError)


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    folder = tmp_path / "CelebA"
    files = [f"{number:06d}.jpg" for number in range(1, 4)]
    for part in ("img_celeba", "img_align_celeba"):
        images(folder / "Img" / part, files)
    text(folder / "Anno" / "identity_CelebA.txt", "000001.jpg 20\n000002.jpg 3\n000003.jpg 20\n")
    rows = "".join(f"{name} 1 2 4 {number}\n" for number, name in enumerate(files, start=1))
    text(folder / "Anno" / "list_bbox_celeba.txt", f"3\nimage_id x_1 y_1 width height\n{rows}")
    text(folder / "Eval" / "list_eval_partition.txt", "000001.jpg 2\n000002.jpg 0\n000003.jpg 1\n")
    return folder


def test_people_by_number(celeba: Path) -> None:
    content = load(section("CelebA"))
    assert content.label_names == ["3", "20"]
    assert [labels(content, name) for name in ("Learn", "Validation", "Test")] == [["3"], ["20"], ["20"]]
    assert content.frame(2).image.shape == (3, 4, 3)
    content = load(section("CelebA", "InTheWild=0\nWithPartitioning=0\nLearn=0.5\n"))
    assert [labels(content, name) for name in ("Learn", "Validation", "Test")] == [["3", "20"], [], ["20"]]
    assert content.frame(0).image.shape == (6, 8, 3)


def test_wrong_lists_of_people(celeba: Path) -> None:
    assert nominal(section("CelebA")) == 162770
    assert nominal(section("CelebA", "WithPartitioning=0\n")) is None
    refused(section("CelebA", "WithLandmarks=1\n"), "WithLandmarks=1 is not available", "net.ini:4")
    text(celeba / "Eval" / "list_eval_partition.txt", "000001.jpg 3\n")
    refused(section("CelebA"), "list_eval_partition.txt:1", "unreadable line", kind=DataError)
    text(celeba / "Eval" / "list_eval_partition.txt", "000001.jpg 0\n")
    refused(section("CelebA"), "no line for 000002.jpg", "list_eval_partition.txt", kind=DataError)
    text(celeba / "Anno" / "identity_CelebA.txt", "000001.jpg\n")
    refused(section("CelebA"), "identity_CelebA.txt:1", "1 values, 2 are expected", kind=DataError)


@pytest.fixture
def fddb(tmp_path: Path) -> Path:
    folder = tmp_path / "FDDB"
    for number in range(1, 11):
        images(folder / "2002" / "08", [f"img_{number}.jpg"])
        rows = f"2002/08/img_{number}\n1\n3.9 2.2 -1.5 4.1 3.0  1\n"
        text(folder / "FDDB-folds" / f"FDDB-fold-{number:02d}-ellipseList.txt", rows)
    return folder


def test_faces_as_ellipses(fddb: Path) -> None:
    content = load(section("FDDB", "Learn=0.5\nValidation=0.3\n"))
    assert sizes(content) == [5, 3, 2]
    assert content.label_names == ["face"]
    [face] = content.rois[0]
    assert (face.x, face.y, face.major, face.minor) == (4, 3, 3, 2)  # type: ignore[attr-defined]
    assert math.isclose(face.angle, -1.5)  # type: ignore[attr-defined]
    assert content.frame(0).labels[3, 4] == 0
    assert content.frame(0).labels[0, 0] == -1
    assert nominal(section("FDDB", "Learn=0.5\n")) == 1423


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2002/08/img_1\n", ["ellipseList.txt:1", "the file ends after it"]),
        ("2002/08/img_1\n2\n3 2 1 4 3 1\n", ["ellipseList.txt:2", "ends after 1 of the faces"]),
        ("2002/08/img_1\nmany\n", ["ellipseList.txt:2", "'many' is not a number"]),
        ("2002/08/img_1\n1\n3 2 1\n", ["ellipseList.txt:3", "3 values, 6 are expected"]),
        ("2002/08/img_77\n0\n", ["img_77.jpg does not exist", "ellipseList.txt:1", "N2D2_DATA"]),
    ],
)
def test_wrong_lists_of_ellipses(fddb: Path, rows: str, words: list[str]) -> None:
    text(fddb / "FDDB-folds" / "FDDB-fold-04-ellipseList.txt", rows)
    refused(section("FDDB", "Learn=1\n"), *words, kind=DataError)


@pytest.fixture
def ckp(tmp_path: Path) -> Path:
    folder = tmp_path / "cohn-kanade-images"
    for sequence, code in (("S005/001", "3.0000000e+00"), ("S005/002", "5"), ("S010/001", None)):
        images(folder / sequence, [f"f{number}.png" for number in range(4)])
        if code is not None:
            text(folder / sequence / "emotion.txt", f"   {code}\n")
    return folder


def test_expressions(ckp: Path, said: list[str]) -> None:
    content = load(section("CKP", "Learn=0.5\nNbNeutral=2\n"))
    assert content.label_names == ["neutral", "disgust", "happy"]
    assert [content.label_names[label] for label in content.labels] == ["neutral"] * 2 + ["disgust"] * 2 + [
        *("neutral", "neutral", "happy", "happy")
    ]
    assert sizes(content) == [3, 0, 5]
    assert "NOTICE 1 sequences without an expression are left out" in said


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("9", ["emotion.txt:1", "from 0 to 7"]),
        ("2.5", ["emotion.txt:1"]),
        ("", ["emotion.txt", "has 0 values"]),
        ("x", ["emotion.txt:1", "'x' is not a number"]),
    ],
)
def test_wrong_expressions(ckp: Path, code: str, words: list[str]) -> None:
    text(ckp / "S005" / "001" / "emotion.txt", code)
    refused(section("CKP", "Learn=1\n"), *words, kind=DataError)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("IMDBWIKI", "IMDB-WIKI/imdb_metadata/wiki.csv does not exist"),
        ("CelebA", "CelebA/Img/img_celeba does not exist"),
        ("FDDB", "FDDB-fold-01-ellipseList.txt does not exist"),
        ("CKP", "cohn-kanade-images does not exist"),
    ],
)
def test_nothing_is_there(kind: str, words: str) -> None:
    refused(section(kind, "Learn=1\n"), words, "N2D2_DATA", kind=DataError)
