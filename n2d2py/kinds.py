"""The types that a value of an INI file can have: how its text is read, and how it is written again.

N2D2 reads numbers with a thousands comma (``10,000,000``), booleans as 0 or 1, lists separated by white
space. Beyond that, n2d2py reads ``true`` and ``false``, and an integer written as a real (``75000.0``, what a
division gives): silently if it is whole, truncated toward zero with a warning if it is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py import console
from n2d2py.errors import ParameterError, Place, nearest


@dataclass(frozen=True)
class Value:
    """The evaluated text of a property and the place where it stands.

    ``notes`` say what could not be resolved in it and was left as it is: a variable or a section that does
    not exist.
    """

    text: str
    place: Place
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Kind:
    """A type of value: ``parse`` raises ValueError if the text is not one; ``name`` says what was expected."""

    name: str
    parse: Callable[[str, Place], Any]
    format: Callable[[Any], str] = str

    def read(self, value: Value) -> Any:
        """The typed value; raises :class:`ParameterError` at the value's place."""
        try:
            return self.parse(value.text, value.place)
        except ValueError as error:
            remedy = "; ".join(filter(None, (str(error), *value.notes)))
            raise ParameterError(
                f"unreadable value {value.text!r}" + (f" for {value.place.key}" if value.place.key else ""),
                place=value.place,
                expected=self.name,
                remedy=remedy or None,
            ) from None


_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?0[xX][0-9a-fA-F]+", re.ASCII)
_LONGEST_NUMBER = 400


def _number(text: str) -> str:
    text = text.strip()
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("the number is too long")
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if "," in text:
        raise ValueError("a comma separates groups of three digits, as in 10,000,000")
    if not _NUMBER.fullmatch(text):
        hint = "write an expression as $( ... )" if re.search(r"\d\s*[*/+-]\s*\d", text) else ""
        raise ValueError(hint)
    return text


def _real(text: str, place: Place) -> float:
    number = _number(text)
    try:
        value = float(int(number, 16)) if "x" in number.lower() else float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError("the number is too large")
    return value


def _integer(text: str, place: Place) -> int:
    number = _number(text)
    if re.fullmatch(r"[+-]?\d+", number):
        return int(number)
    if "x" in number.lower():
        return int(number, 16)
    value = _real(number, place)
    whole = math.trunc(value)
    if whole != value:
        console.warning(f"{text} is cut to the integer {whole}, at: {place}", about=(place.file, place.key, text))
    return whole


def _at_least(parse: Callable[[str, Place], Any], low: float) -> Callable[[str, Place], Any]:
    def parse_bounded(text: str, place: Place) -> Any:
        value = parse(text, place)
        if value < low:
            raise ValueError(f"{value} is below {low}")
        return value

    return parse_bounded


def _boolean(text: str, place: Place) -> bool:
    folded = text.strip().lower()
    if folded in ("1", "true"):
        return True
    if folded in ("0", "false"):
        return False
    raise ValueError("")


def _word(text: str, place: Place) -> str:
    if len(text.split()) > 1:
        raise ValueError("one word, without blanks")
    return text.strip()


def _format_real(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _format_boolean(value: bool) -> str:
    return "1" if value else "0"


def integer_between(low: int, high: int) -> Kind:
    """An integer from ``low`` to ``high``, both included."""
    bounded = _at_least(_integer, low)

    def parse(text: str, place: Place) -> int:
        value: int = bounded(text, place)
        if value > high:
            raise ValueError(f"{value} is above {high}")
        return value

    return Kind(f"an integer from {low} to {high}", parse)


integer = Kind("an integer", _integer)
unsigned = Kind("an integer of at least 0", _at_least(_integer, 0))
positive = Kind("an integer of at least 1", _at_least(_integer, 1))
real = Kind("a real number", _real, _format_real)
unsigned_real = Kind("a real number of at least 0", _at_least(_real, 0), _format_real)
boolean = Kind("0 or 1", _boolean, _format_boolean)
text = Kind("a text", lambda text, place: text)
word = Kind("one word", _word)


def real_between(low: float, high: float, *, low_open: bool = False, high_open: bool = False) -> Kind:
    """A real number of an interval; an open end does not belong to it."""

    def parse(text: str, place: Place) -> float:
        value = _real(text, place)
        if value < low or value > high or (low_open and value == low) or (high_open and value == high):
            raise ValueError(f"{text} is outside")
        return value

    left = "]" if low_open or math.isinf(low) else "["
    right = "[" if high_open or math.isinf(high) else "]"
    return Kind(f"a real number in {left}{_format_real(low)}, {_format_real(high)}{right}", parse, _format_real)


def one_of(*values: str) -> Kind:
    """One of the given names, spelled exactly."""

    def parse(text: str, place: Place) -> str:
        text = text.strip()
        if text not in values:
            match = nearest(text, values)
            raise ValueError(f"did you mean {match}?" if match else "")
        return text

    return Kind(f"one of {', '.join(values)}", parse)


_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def list_of(kind: Kind, length: int | None = None) -> Kind:
    """A list separated by white space, read as a tuple; a text with blanks stands in double quotes."""

    def parse(text: str, place: Place) -> tuple[Any, ...]:
        items = [
            re.sub(r"\\(.)", r"\1", match.group(1)) if match.group(1) is not None else match.group(2)
            for match in _ITEM.finditer(text)
        ]
        if length is not None and len(items) != length:
            raise ValueError(f"{len(items)} values are given, {length} are needed")
        return tuple(kind.parse(item, place) for item in items)

    count = "a list" if length is None else f"{length} values"
    return Kind(
        f"{count} separated by blanks, each {kind.name}",
        parse,
        lambda values: " ".join(_format_item(kind.format(value)) for value in values),
    )


def _format_item(text: str) -> str:
    if text and not re.search(r'[\s"\\]', text):
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _names(text: str, place: Place) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",")) if text.strip() else ()


names = Kind("names separated by commas", _names, ",".join)
