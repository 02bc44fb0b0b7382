"""$( ): values as Python 3 prints them, and nothing but arithmetic."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.ini.expressions import calculate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("75000 / 1", "75000.0"),
        ("7 // 2", "3"),
        ("-7 % 3", "2"),
        ("2 ** 10", "1024"),
        ("2 ** -1", "0.5"),
        ("-(3)", "-3"),
        ("+3", "3"),
        ("int(64 * 0.75)", "48"),
        ("int('12') + float('0.5')", "12.5"),
        ("max(1, 2.5, 2)", "2.5"),
        ("min(3, 2)", "2"),
        ("round(2.5)", "2"),
        ("round(2.567, 1)", "2.6"),
        ("abs(-4)", "4"),
        ("1 if 2 > 1 else 0", "1"),
        ("1 < 2 < 3", "True"),
        ("1 < 2 < 2", "False"),
        ("not 0", "True"),
        ("0 or 5", "5"),
        ("3 and 0 and 1", "0"),
        ("'a' == 'a'", "True"),
        ("'a' + 'b'", "ab"),
        ("  1.50  ", "1.5"),
        ("1e-05", "1e-05"),
        ("1 ** 10 ** 9", "1"),
        ("0.1 + 0.2", "0.30000000000000004"),
    ],
)
def test_values(text, value):
    assert calculate(text) == value


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("9**9**9", "too large"),
        ("2**1000 * 2**1000 * 2**1000", "a number is too large"),
        ("9" * 1500, "a number is too large"),
        ("2.0 ** 5000", "too large"),
        ("1 / 0", "zero"),
        ("(-8) ** 0.5", "not a real number"),
        ("1j", "not arithmetic"),
        ("'a' * 1000000000", "texts can only be added"),
        ("'%1000000000d' % 1", "texts can only be added"),
        ("round(1, -10**9)", "round"),
        ("1,000 * 2", "comma"),
        ("__import__('os')", "__import__ is not known; functions are int, float"),
        ("open", "open is not known"),
        ("(1).__class__", "not arithmetic"),
        ("[1][0]", "not arithmetic"),
        ("lambda: 1", "not arithmetic"),
        ("1 is 1", "comparisons"),
        ("1 << 3", "not arithmetic"),
        ("max()", "at least 1 argument"),
        ("max(1, key=2)", "max is not known|not arithmetic"),
        ("1 + 'a'", "unsupported operand"),
        ("int('x')", "invalid literal"),
        ("", "not an expression"),
        ("1 +", "not an expression"),
        ("a = 1", "not an expression"),
        ("1\x00", "."),
        ("(" * 300 + "1" + ")" * 300, "."),
        ("-" * 1900 + "1", "nested too deep"),
        ("1" + "+1" * 900, "nested too deep"),
        ("lambda: " * 240 + "1", "."),
        ("1 + " * 600 + "1", "more than 2000 characters"),
    ],
)
def test_refusals(text, what):
    with pytest.raises(ValueError, match=what):
        calculate(text)


@given(st.text(alphabet="0123456789.+-*/%() <>=!'\",abcdefilmnorstxy_[]{}:", max_size=40))
def test_any_text_is_a_value_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert isinstance(calculate(text), str)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4), st.floats(-1e6, 1e6))
def test_equal_to_python(a, b, c):
    assert calculate(f"({a} / {b}) + {c!r}") == str(a / b + c)
    assert calculate(f"{a} // {b} * 3 - {a} % {b}") == str(a // b * 3 - a % b)
