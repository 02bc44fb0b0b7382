from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py.errors import DataError

from .trees import HTML, labels, load, names, refused, sizes, text

ROWS = 'x;y;label\n1;2.5;"a b"\n\n3,-4e-1\t c\n5  6 c\n7;8;c\n'


def section(file: Path, lines: str = "") -> str:
    return f"[database]\nType=CSV_Database\nDataPath={file}\nRandomPartitioning=0\n{lines}"


def test_rows_are_images_of_one_line(tmp_path: Path) -> None:
    file = text(tmp_path / "data.csv", ROWS)
    content = load(section(file, "NbHeaderLines=1\nLearn=1\nValidation=0\nEquivLabelPartitioning=0\n"))
    assert labels(content, "Learn") == ["a b", "c", "c", "c"]
    assert names(content, "Learn") == [f"{file}[{line}]" for line in (2, 4, 5, 6)]
    frame = content.frame(1)
    assert frame.image.dtype == np.float32
    assert frame.image.tolist() == [[[3.0], [np.float32(-0.4)]]]


def test_default_shares_are_of_each_label_alike(tmp_path: Path) -> None:
    file = text(tmp_path / "data.csv", "".join(f"{number},{'a' if number < 10 else 'b'}\n" for number in range(15)))
    content = load(section(file))
    assert sizes(content) == [6, 2, 7]
    assert labels(content, "Learn") == ["b"] * 3 + ["a"] * 3  # the label with the fewest stimuli comes first
    counts = "PerLabelPartitioning=0\nLearn=10\nValidation=2\n"
    assert sizes(load(section(file, counts))) == [10, 2, 3]


@pytest.mark.parametrize(("column", "label"), [("0", "1"), ("1", "2"), ("-2", "2"), ("-3", "1")])
def test_the_column_of_the_label(tmp_path: Path, column: str, label: str) -> None:
    file = text(tmp_path / "data.csv", "1 2 3\n")
    assert load(section(file, f"LabelColumn={column}\n")).label_names == [label]


def test_another_file(tmp_path: Path) -> None:
    first, second = text(tmp_path / "1.csv", "a 1\n"), text(tmp_path / "2.csv", "b 2\nb 3\n")
    more = f"Learn=1\nValidation=0\nLabelColumn=0\nLoadMore=more\n[more]\nDataPath={second}\nLearn=0.5\nValidation=0\n"
    content = load(
        section(first, more).replace("Learn=1\n", "Learn=1\nEquivLabelPartitioning=0\n") + "EquivLabelPartitioning=0\n"
    )
    assert names(content, "Learn", tmp_path) == ["1.csv[1]", "2.csv[1]"]
    assert content.label_names == ["a", "b"]
    circle = f"LoadMore=more\n[more]\nDataPath={second}\nLoadMore=more\n"
    refused(section(first, circle), "without an end: more -> more")


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        ("1;2;a\n1;x;a\n", "", ["data.csv:2", "'x' is not a number"]),
        ("1;2;a\n1;nan;a\n", "", ["a value of line 2 is not finite"]),
        ("1;2;a\n1;1e99;a\n", "", ["a value of line 2 is not finite"]),
        ("1;2;a\n1;a\n", "", ["data.csv:2", "2 columns, 3 on the lines before"]),
        ("1;a\n", "LabelColumn=2\n", ["data.csv:1", "LabelColumn=2"]),
        ("a\n", "", ["data.csv:1", "1 columns"]),
        ("x;y\n", "NbHeaderLines=1\n", ["no stimuli", "NbHeaderLines"]),
        (HTML, "", ["a web page", "data.csv"]),
        ("\0\1\2", "", ["not a text"]),
    ],
)
def test_unreadable_tables(tmp_path: Path, content: str, keys: str, words: list[str]) -> None:
    refused(section(text(tmp_path / "data.csv", content), keys), *words, kind=DataError)


def test_a_missing_table(tmp_path: Path) -> None:
    refused(section(tmp_path / "no.csv"), "no.csv does not exist", "net.ini:3", kind=DataError)
