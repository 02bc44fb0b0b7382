"""The small grammar of a network's text form: names, values, and lists of both.

A name or value that could be mistaken for something else stands in double quotes, as JSON writes it.
"""

from __future__ import annotations

import json
import re
from itertools import groupby

import numpy as np

_PLAIN_NAME = re.compile(r'[^\s"(),=;]+')
_PLAIN_VALUE = re.compile(r'(?!\s)[^";\x00-\x1f\x7f]+(?<!\s)')
_DECODER = json.JSONDecoder()


def name_text(name: str) -> str:
    """A name as the text form has it.

    >>> print(name_text("conv1"), name_text("a, b"))
    conv1 "a, b"
    """
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name)


def value_text(value: str) -> str:
    """A value as the text form has it; what separates values stands in quotes."""
    plain = _PLAIN_VALUE.fullmatch(value) and ", " not in value and ": " not in value
    return value if plain else json.dumps(value)


def unquoted(text: str) -> str:
    """The name or value of a text; raises ValueError for quotes that do not close."""
    if not text.startswith('"'):
        return text
    value, end = _DECODER.raw_decode(text)
    if end != len(text) or not isinstance(value, str):
        raise ValueError(f"{text} is no text in quotes")
    return value


def split(text: str, separator: str) -> list[str]:
    """The parts of ``text`` between separators that stand outside of quotes; raises ValueError as above.

    >>> split('K=1; L="a; b"', "; ")
    ['K=1', 'L="a; b"']
    """
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == '"':
            _, position = _DECODER.raw_decode(text, position)
        elif text.startswith(separator, position):
            parts.append(text[start:position])
            position += len(separator)
            start = position
        else:
            position += 1
    parts.append(text[start:])
    return parts


def rows_text(matrix: np.ndarray) -> str:
    """A connection map in full: for each channel the outputs that it is connected to, as ranges.

    >>> rows_text(np.array([[True, True, False, True], [False, False, False, False]]))
    '0-1 3 | -'
    """
    return " | ".join(_ranges(np.flatnonzero(row).tolist()) or "-" for row in matrix)


def read_rows(text: str, outputs: int) -> tuple[bool, ...]:
    """The map of :func:`rows_text`, row by row; raises ValueError if it is none.

    >>> read_rows("0-1 3 | -", 4)
    (True, True, False, True, False, False, False, False)
    """
    values: list[bool] = []
    for row in text.split(" | "):
        line = [False] * outputs
        for item in row.split() if row != "-" else ():
            first, _, last = item.partition("-")
            if int(last or first) >= outputs:
                raise ValueError(f"there is no output {item}")
            for output in range(int(first), int(last or first) + 1):
                line[output] = True
        values += line
    return tuple(values)


def _ranges(numbers: list[int]) -> str:
    runs = [list(run) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return " ".join(str(run[0][1]) if len(run) == 1 else f"{run[0][1]}-{run[-1][1]}" for run in runs)
