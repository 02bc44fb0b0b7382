"""Physical lines to logical lines: byte-order marks, continuation, comments."""

import pytest

from n2d2py.ini.lines import Line, content, logical_lines


def lines(text):
    return [(line.number, line.text) for line in logical_lines(text) if line.text]


def test_lines_are_numbered_from_1():
    assert lines("a\n\nb") == [(1, "a"), (3, "b")]


def test_continuation_joins_with_nothing_between():
    assert lines("M=\\\n1 0 \\\n0 1\nb") == [(1, "M=1 0 0 1"), (4, "b")]


def test_a_blank_after_the_backslash_undoes_it():
    assert lines("M=\\ \n1") == [(1, "M=\\ "), (2, "1")]


def test_a_comment_with_a_backslash_takes_the_next_line():
    (line,) = lines("; comment \\\na=1")
    assert content(line[1]) == ""


def test_carriage_returns_belong_to_the_end_of_the_line():
    assert lines("M=1 \\\r\n2\r\n") == [(1, "M=1 2")]


def test_byte_order_mark_of_any_line_is_dropped():
    assert lines("\ufeffa\n\ufeffb\nc\ufeff") == [(1, "a"), (2, "b"), (3, "c\ufeff")]


def test_other_separators_do_not_split():
    assert lines("a\x0cb\x0bc\u2028d") == [(1, "a\x0cb\x0bc\u2028d")]


def test_a_last_line_may_be_incomplete():
    assert list(logical_lines("a\nb\\")) == [Line(1, "a", True), Line(2, "b", False)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a=1 ; c", "a=1"),
        ("a=1;c", "a=1"),
        ("a=1 # c", "a=1"),
        ("# c", ""),
        ("  a = 1\t", "a = 1"),
        ('a="x ; y" # z', 'a="x ; y"'),
        ('a="x" ; "', 'a="x"'),
        ("", ""),
        ('a="" "#"', 'a="" "#"'),
    ],
)
def test_comments_are_cut_outside_quotes(text, left):
    assert content(text) == left


@pytest.mark.parametrize("text", ['a="x', 'a="x" "', '" ; "x"'])
def test_a_quote_must_be_closed(text):
    with pytest.raises(ValueError, match="not closed"):
        content(text)
