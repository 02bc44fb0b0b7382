"""Tables of plain text: the same on a terminal, in a log file and in a mail."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[-+−]?[\d,. ]*\d(e[-+]?\d+)?( ?[%a-zA-Z/]{1,6})?")


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], indent: str = "") -> list[str]:
    """Lines of a table: headers, a rule, the rows. Columns of numbers stand to the right, others to the left.

    >>> print("\\n".join(table(("cell", "bits"), [("conv1", 8), ("fc2", 16)])))
    cell   bits
    -----  ----
    conv1     8
    fc2      16
    """
    texts = [[_text(value) for value in row] for row in rows]
    for row in texts:
        if len(row) != len(headers):
            raise ValueError(f"a row of {len(row)} values in a table of {len(headers)} columns")
    columns = list(zip(*texts, strict=True)) if texts else [()] * len(headers)
    widths = [max([len(header), *map(len, column)]) for header, column in zip(headers, columns, strict=True)]
    right = [bool(any(column)) and all(_is_number(text) for text in column if text) for column in columns]

    def line(values: Sequence[str]) -> str:
        places = zip(values, widths, right, strict=True)
        aligned = (value.rjust(width) if to_right else value.ljust(width) for value, width, to_right in places)
        return indent + "  ".join(aligned).rstrip()

    return [line(headers), indent + "  ".join("-" * width for width in widths), *(line(row) for row in texts)]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split())


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
