"""Sums of products that float32 does not hold: codes go in digit by digit, their sums are put together in float64.

x = sum over i of digit_i 2^(b i), digits 0 .. 2^b - 1 but the last, which has the sign. b is the largest number for
which the sums of every digit stay below 2^24. qonnx computes convolutions in float32 only.
"""

from __future__ import annotations

from collections.abc import Callable

from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qonnx.writing import Site


def by_digits(site: Site, x: Value, largest: int, axes: int, products: Callable[[str], str]) -> Value:
    """What ``products`` (a linear function) makes of the codes ``x`` of the first input, as a tensor of the operation.

    ``largest`` is the largest sum of |factor| of one output; ``axes`` is the number of axes of the windows. Raises
    :class:`IntegerError` where not even one bit of a code has exact sums.
    """
    graph, largest, magnitude = site.graph, max(largest, 1), max(site.sources[0].magnitude, 1)
    if largest * magnitude < EXACT["float"]:
        return Value(site.shaped(products(site.spatial(graph.cast(x, "float"), axes))), "float")
    bits = ((EXACT["float"] - 1) // largest).bit_length() - 1
    if bits < 1:
        raise site.no_form("its factors alone make sums of more than 23 bits, which float32 does not hold")
    site.type_for(largest * magnitude)
    rest, place, total = graph.cast(x, "double"), 0, ""
    while True:
        # Rounded down, what is left lies in -2^k .. 2^k - 1 as long as the magnitude does.
        last = magnitude >> (place * bits) < 1 << bits
        digit = rest
        if not last:
            above = graph.floor_shift(rest, bits)
            digit = Value(graph.node("Sub", [rest.name, _times(site, above.name, bits)]), "double")
            rest = above
        sums = products(site.spatial(graph.cast(digit, "float"), axes))
        part = _times(site, graph.cast(Value(sums, "float"), "double").name, place * bits)
        total = graph.node("Add", [total, part]) if total else part
        if last:
            return Value(site.shaped(total), "double")
        place += 1


def _times(site: Site, x: str, bits: int) -> str:
    return site.graph.node("Mul", [x, site.graph.constant(float(1 << bits), "double")]) if bits else x
