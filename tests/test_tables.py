"""Tables of plain text."""

from __future__ import annotations

import pytest

from n2d2py.tables import table


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
