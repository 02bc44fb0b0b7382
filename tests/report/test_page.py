"""The page and the tables."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from n2d2py.report.page import Part, write_page
from n2d2py.report.tables import table


class _Balance(HTMLParser):
    """Checks that what is opened is closed, and notes every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "curve.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    part = Part("Learning <1>", "text & more", ["n2d2py LeNet.ini"], ["a"], [("<b>",)], [picture, tmp_path / "no.png"])
    page = write_page(tmp_path / "report.html", "LeNet.ini", [part], [("rate", "99.3 %")], "seed 1").read_text()
    checked = _Balance()
    checked.feed(page)
    assert checked.open == []
    assert checked.addresses == ["data:image/png;base64,iVBORw0KGgo="]
    assert "http" not in page
    for text in ("Learning &lt;1&gt;", "text &amp; more", "<td>&lt;b&gt;</td>", "no.png was not drawn", "99.3 %"):
        assert text in page


def test_columns_of_numbers_stand_to_the_right() -> None:
    lines = table(("cell", "bits", "range", "proof"), [("conv1", 8, "-3..9", "exact"), ("fc", 16, "", None)])
    assert lines == [
        "cell   bits  range  proof",
        "-----  ----  -----  -----",
        "conv1     8  -3..9  exact",
        "fc       16",
    ]


def test_an_empty_table_has_its_headers() -> None:
    assert table(("a", "bc"), []) == ["a  bc", "-  --"]


def test_floats_are_short_and_line_ends_are_blanks() -> None:
    assert table(("x", "y"), [(1 / 3, "two\nlines")], indent="  ")[-1] == "  0.333333  two lines"


def test_a_row_of_the_wrong_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="a row of 1 values in a table of 2 columns"):
        table(("a", "b"), [("x",)])
