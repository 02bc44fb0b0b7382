"""C types of codes, C names, and constant arrays as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from n2d2py.integer.operations import Edge

SIZES = {"uint8_t": 1, "int8_t": 1, "uint16_t": 2, "int16_t": 2, "int32_t": 4, "int64_t": 8}
_BOUNDS = {
    "uint8_t": (0, 255),
    "int8_t": (-128, 127),
    "uint16_t": (0, 65535),
    "int16_t": (-32768, 32767),
    "int32_t": (-(1 << 31), (1 << 31) - 1),
    "int64_t": (-(1 << 63), (1 << 63) - 1),
}
_PER_LINE = 16


def type_for(low: int, high: int) -> str:
    """The narrowest type that holds low..high."""
    return next(name for name, (least, most) in _BOUNDS.items() if least <= low and high <= most)


def type_of(edge: Edge) -> str:
    """The type of the codes of an edge; it holds the 0 of padding too."""
    return type_for(min(int(edge.low.min()), 0), max(int(edge.high.max()), 0))


def sum_type(bound: int) -> str:
    """int32_t where sums of magnitude ``bound`` fit, else int64_t."""
    return "int32_t" if bound < 1 << 31 else "int64_t"


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """A C name for each name: letters, digits and underscores, all different."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "cell"
        text, number = base, 2
        while text in taken:
            text, number = f"{base}_{number}", number + 1
        taken.add(text)
        given[name] = text
    return given


def literal(value: int) -> str:
    """A constant; the most negative ones have no literal of their own in C."""
    if value == -(1 << 63):
        return "INT64_MIN"
    if value < -(1 << 31) or value >= 1 << 31:
        return f"INT64_C({value})"
    return "INT32_MIN" if value == -(1 << 31) else str(value)


def array(name: str, type_: str, values: Sequence[int] | np.ndarray) -> list[str]:
    """A constant array, sixteen values a line."""
    texts = [literal(int(value)) for value in values]
    rows = [", ".join(texts[start : start + _PER_LINE]) for start in range(0, len(texts), _PER_LINE)]
    return [f"static const {type_} {name}[{len(texts)}] = {{", *(f"    {row}," for row in rows), "};"]


def narrowest(values: Iterable[int]) -> str:
    """The narrowest type for all values."""
    kept = [int(value) for value in values] or [0]
    return type_for(min(kept), max(kept))
