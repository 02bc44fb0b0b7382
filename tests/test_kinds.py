"""How the text of a value is read, and written again."""

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py import kinds
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Value

PLACE = Place("net.ini", 4, "conv1", "K")


def read(kind, text):
    return kind.read(Value(text, PLACE))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (kinds.integer, "10,000,000", 10_000_000),
        (kinds.integer, "-1,234", -1234),
        (kinds.integer, " 5 ", 5),
        (kinds.integer, "+5", 5),
        (kinds.integer, "75000.0", 75000),
        (kinds.integer, "1e3", 1000),
        (kinds.integer, "0x1F", 31),
        (kinds.integer, "007", 7),
        (kinds.unsigned, "0", 0),
        (kinds.positive, "1", 1),
        (kinds.real, "0.2", 0.2),
        (kinds.real, ".5", 0.5),
        (kinds.real, "5.", 5.0),
        (kinds.real, "-1E-3", -0.001),
        (kinds.real, "1,000.5", 1000.5),
        (kinds.real, "10,000,000", 1e7),
        (kinds.real, "-1,234.5e2", -123450.0),
        (kinds.real, "0x10", 16.0),
        (kinds.unsigned_real, "0", 0.0),
        (kinds.boolean, "0", False),
        (kinds.boolean, "1", True),
        (kinds.boolean, " True ", True),
        (kinds.boolean, "false", False),
        (kinds.text, " a b ", " a b "),
        (kinds.word, " a ", "a"),
        (kinds.word, "", ""),
        (kinds.names, "a, b,c", ("a", "b", "c")),
        (kinds.names, "", ()),
        (kinds.one_of("Max", "Average"), " Max ", "Max"),
        (kinds.list_of(kinds.integer), " 5\t6 ", (5, 6)),
        (kinds.list_of(kinds.real, 3), "103.94 116.78 123.68", (103.94, 116.78, 123.68)),
        (kinds.list_of(kinds.text), '"a b" c "d\\"e"', ("a b", "c", 'd"e')),
        (kinds.list_of(kinds.integer), "", ()),
        (kinds.real_between(0, 1), "1", 1.0),
        (kinds.real_between(0, math.inf, low_open=True), "1e30", 1e30),
    ],
)
def test_values(kind, text, value):
    result = read(kind, text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "detail"),
    [
        (kinds.integer, "2*8", "expected: an integer\n  to do: write an expression as $( ... )"),
        (kinds.integer, "1,00", "a comma separates groups of three digits, as in 10,000,000"),
        (kinds.integer, "10,0000", "a comma separates"),
        (kinds.real, "1,00.5", "a comma separates groups of three digits, as in 10,000,000"),
        (kinds.real, "10,0000.0", "a comma separates"),
        (kinds.real, "0.123,456", "a comma separates"),
        (kinds.real, "1,000,", "a comma separates"),
        (kinds.real, "2.0*8", "write an expression as $( ... )"),
        (kinds.integer, "five", "expected: an integer"),
        (kinds.integer, "5x", "expected: an integer"),
        (kinds.integer, "", "expected: an integer"),
        (kinds.integer, "٣", "expected: an integer"),
        (kinds.integer, "1_000", "expected: an integer"),
        (kinds.integer, "inf", "expected: an integer"),
        (kinds.integer, "1e400", "the number is too large"),
        (kinds.integer, "9" * 5000, "the number is too long"),
        (kinds.unsigned, "-1", "expected: an integer of at least 0\n  to do: -1 is below 0"),
        (kinds.positive, "0", "expected: an integer of at least 1\n  to do: 0 is below 1"),
        (kinds.real, "1e400", "the number is too large"),
        (kinds.real, "0x" + "F" * 300, "the number is too large"),
        (kinds.real, "nan", "expected: a real number"),
        (kinds.boolean, "yes", "expected: 0 or 1"),
        (kinds.boolean, "2", "expected: 0 or 1"),
        (kinds.word, "a b", "one word, without blanks"),
        (kinds.one_of("Max", "Average"), "max", "expected: one of Max, Average\n  to do: did you mean Max?"),
        (kinds.list_of(kinds.integer, 2), "1", "expected: 2 values separated by blanks, each an integer"),
        (kinds.list_of(kinds.integer, 2), "1 2 3", "3 values are given, 2 are needed"),
        (kinds.real_between(0, 1, high_open=True), "1", "expected: a real number in [0, 1[\n  to do: 1 is outside"),
        (kinds.real_between(0, 1, low_open=True), "0", "a real number in ]0, 1]"),
        (kinds.real_between(0, math.inf, low_open=True), "0", "a real number in ]0, inf["),
    ],
)
def test_unreadable_values_name_place_and_expectation(kind, text, detail):
    with pytest.raises(ParameterError) as caught:
        read(kind, text)
    assert f"unreadable value {text!r} for K\n  at: net.ini:4, [conv1], K" in str(caught.value)
    assert detail in str(caught.value)


def test_notes_say_why_a_value_is_unreadable():
    value = Value("[conv2]NbOutputs", PLACE, ("there is no section [conv2]",))
    with pytest.raises(ParameterError, match=r"to do: there is no section \[conv2\]"):
        kinds.integer.read(value)
    assert kinds.text.read(value) == "[conv2]NbOutputs"


def test_a_fraction_is_cut_with_a_warning(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        assert read(kinds.integer, "12.7") == 12
        assert read(kinds.integer, "-12.7") == -12
        assert read(kinds.integer, "12.0") == 12
    assert caplog.messages == [
        "12.7 is cut to the integer 12, at: net.ini:4, [conv1], K",
        "-12.7 is cut to the integer -12, at: net.ini:4, [conv1], K",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reals_survive_writing(number):
    assert math.copysign(1, read(kinds.real, kinds.real.format(number))) == math.copysign(1, number)
    assert read(kinds.real, kinds.real.format(number)) == number


@given(st.integers(-(10**30), 10**30))
def test_integers_survive_writing(number):
    assert read(kinds.integer, kinds.integer.format(number)) == number
    assert read(kinds.integer, f"{number:,}") == number


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.05, "0.05"), (1e300, "1e+300"), (8, "8"), (math.inf, "inf")]
)
def test_reals_are_written_short(value, text):
    assert kinds.real.format(value) == text


def test_booleans_are_written_as_digits():
    assert [kinds.boolean.format(value) for value in (True, False)] == ["1", "0"]


@given(st.lists(st.text(max_size=5), max_size=4))
def test_lists_of_texts_survive_writing(items):
    kind = kinds.list_of(kinds.text)
    assert read(kind, kind.format(items)) == tuple(items)


ALL = [
    kinds.integer, kinds.unsigned, kinds.positive, kinds.real, kinds.unsigned_real, kinds.boolean, kinds.text,
    kinds.word, kinds.names, kinds.one_of("a", "b"), kinds.list_of(kinds.real), kinds.real_between(-1, 1),
]  # fmt: skip


@given(st.one_of(st.text(alphabet="0123456789+-.,eExX ", max_size=12), st.text(max_size=6)), st.sampled_from(ALL))
def test_any_text_is_a_value_or_a_parameter_error(text, kind):
    try:
        value = read(kind, text)
    except ParameterError as error:
        assert error.expected == kind.name
    else:
        assert read(kind, kind.format(value)) == value
