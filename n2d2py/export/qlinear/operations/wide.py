"""Exact sums of weight * code in 32 bits or more, each in the cheapest way that is proved to hold them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qlinear.operations.product import PAIR, Product
from n2d2py.export.qlinear.writing import Site
from n2d2py.integer.operations import Weighted

_HALF = EXACT["int32"] // 2


def is_exact_in_floats(site: Site, product: Product) -> bool:
    """Whether float32 holds every sum on the way."""
    return product.sums * max(site.sources[0].magnitude, 1) < EXACT["float"]


def wide_sums(site: Site, operation: Weighted, product: Product) -> tuple[Value, str]:
    """The exact sums, without bias: int32 or wider."""
    bound, unfolds = product.sums * max(site.sources[0].magnitude, 1), _unfolds(site, product)
    integer = product.value.type == "uint8" and not product.transposed and bound * 2 < EXACT["int32"]
    if product.is_matrix and (result := matrix_product(site, operation.cell, product)) is not None:
        return result, "MatMulInteger, u8 weights"
    # Groups are many small products, and weights of nine bits two: a float32 convolution is faster then.
    real = is_exact_in_floats(site, product)
    if integer and (unfolds or not real or (product.attributes.get("group", 1) == 1 and product.is_small)):
        path = "MatMulInteger on windows" if unfolds else "ConvInteger, u8 weights"
        return _integer(site, operation, product, _on_windows if unfolds else _convolved), path
    if real:
        codes = site.graph.cast(product.value, "float")
        # The cast keeps what follows out of the weights: ONNX Runtime would multiply them by a scale.
        result = Value(float_sums(site, operation, product, codes.name), "float")
        return site.graph.cast(result, "int32"), "float32 Conv on codes"
    return _by_digits(site, operation, product), "float32 Conv on digits of codes"


_Sums = Callable[[Site, Product, np.ndarray, str], Value]
"""The int32 sums of weights (int64) that fit a signed byte; the last word names them."""


def _integer(site: Site, operation: Weighted, product: Product, convolved: _Sums) -> Value:
    """Sums of integers by ``convolved``.

    Weights that do not fit a byte are split: w = 2 k + 1 for the odd codes 2k - 255, so that the sum is
    2 sum(k x) + sum(x).
    """
    graph, weights = site.graph, product.weights
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    if product.is_small:
        return convolved(site, product, weights, f"{operation.cell}_w")
    if low < -256 or high > 255:
        raise site.no_form(f"its weights {low}..{high} need more than nine bits")
    halves = convolved(site, product, weights >> 1, f"{operation.cell}_w")
    odd = weights & 1
    if product.attributes.get("group", 1) == 1 and np.all(odd == 1):
        rest = _of_ones(site, product)
    else:
        rest = convolved(site, product, odd, f"{operation.cell}_w_odd")
    doubled = graph.node("Add", [halves.name, halves.name])
    return Value(graph.node("Add", [doubled, rest.name]), "int32")


def _of_ones(site: Site, product: Product) -> Value:
    """The sums of all codes in the window of each place, of one channel: they serve every output."""
    graph, kernel = site.graph, product.weights.shape[2:]
    real = graph.cast(product.value, "float").name
    flat = graph.node("ReduceSum", [real, graph.constant([1], "int64")], keepdims=1)
    sums = graph.node("Conv", [flat, graph.constant(np.ones((1, 1, *kernel)), "float")], **product.attributes)
    return graph.cast(Value(sums, "float"), "int32")


_LEAST_OUTPUTS = 64
_MOST_PLACES = 800


def _unfolds(site: Site, product: Product) -> bool:
    """Whether windows side by side and one matrix product are faster: many outputs at few places."""
    made = site.made.dims
    whole = product.attributes.get("group", 1) == 1
    return whole and made.channels >= _LEAST_OUTPUTS and made.width * made.height <= _MOST_PLACES


def _on_windows(site: Site, product: Product, weights: np.ndarray, name: str) -> Value:
    """MatMulInteger, whose weights ONNX Runtime packs once: channels last, the codes of a window side by side."""
    graph, made, attributes = site.graph, site.made.dims, product.attributes
    padding, stride, dilation = (attributes.get(key, [0, 0, 0, 0]) for key in ("pads", "strides", "dilations"))
    value = graph.node("Transpose", [product.value.name], perm=[0, 2, 3, 1])
    if any(padding):
        sides = graph.constant([0, *padding[:2], 0, 0, *padding[2:], 0], "int64")
        value = graph.node("Pad", [value, sides, graph.constant(product.value.zero, "uint8")])
    parts = []
    for row, column in np.ndindex(*weights.shape[2:]):
        starts = [row * dilation[0], column * dilation[1]]
        spans = zip(starts, (made.height, made.width), stride, strict=False)
        ends = [start + (places - 1) * step + 1 for start, places, step in spans]
        words = [graph.constant(numbers, "int64") for numbers in (starts, ends, [1, 2], stride[:2])]
        parts.append(graph.node("Slice", [value, *words]))
    windows = parts[0] if len(parts) == 1 else graph.node("Concat", parts, axis=3)
    small = 2 * (max(site.sources[0].magnitude, 1) + product.value.zero) * int(np.abs(weights).max(initial=0)) <= PAIR
    kind, zero = ("int8", 0) if small else ("uint8", 128)
    matrix = weights.transpose(2, 3, 1, 0).reshape(-1, len(weights)) + zero
    inputs = [windows, graph.weights(matrix, kind, name, axis=1), graph.constant(product.value.zero, "uint8")]
    sums = graph.node("MatMulInteger", [*inputs, graph.constant(zero, kind)])
    return Value(graph.node("Transpose", [sums], perm=[0, 3, 1, 2]), "int32")


def _convolved(site: Site, product: Product, weights: np.ndarray, name: str) -> Value:
    """ConvInteger with u8 weights: s8 ones go an unoptimised way."""
    graph = site.graph
    origin, zero = graph.constant(product.value.zero, "uint8"), graph.constant(128, "uint8")
    stored = graph.weights(weights + 128, "uint8", name)
    return Value(graph.node("ConvInteger", [product.value.name, stored, origin, zero], **product.attributes), "int32")


def matrix_product(site: Site, cell: str, product: Product) -> Value | None:
    """MatMulInteger on the digits of 8 bits of each code, or None where codes are negative or have more than two.

    The digits are the rows of one product, so that the weights are read once.
    """
    graph, source, weights = site.graph, site.sources[0], product.weights[:, :, 0, 0]
    outputs, inputs = weights.shape
    bound = product.sums * max(source.magnitude, 1)
    if int(source.low.min()) < 0 or source.magnitude > 0xFFFF or weights.min(initial=0) < -256 or bound >= _HALF:
        return None
    if not product.is_small and not np.all(weights & 1):
        return None  # not 2 k + 1
    digits, wide = 1, graph.cast(product.value, "int32")
    rows = graph.node("Reshape", [wide.name, graph.constant([-1, 1, inputs], "int64")])
    stored = rows
    if source.magnitude > 255:
        digits, base = 2, graph.constant(256, "int32")
        upper = graph.node("Div", [rows, base])
        lower = graph.node("Sub", [rows, graph.node("Mul", [upper, base])])
        stored = graph.node("Concat", [upper, lower], axis=1)
    small = product.is_small
    bytes_ = (weights if small else weights >> 1).T + 128
    names = [graph.cast(Value(stored, "int32"), "uint8").name, graph.weights(bytes_, "uint8", f"{cell}_w", axis=1)]
    total = graph.node("MatMulInteger", [*names, graph.constant(0, "uint8"), graph.constant(128, "uint8")])
    if digits == 2:
        placed = graph.node("Mul", [total, graph.constant([[[256], [1]]], "int32")])
        total = graph.node("ReduceSum", [placed, graph.constant([1], "int64")], keepdims=1)
    if not small:
        rest = graph.node("ReduceSum", [rows, graph.constant([2], "int64")], keepdims=1)
        total = graph.node("Add", [graph.node("Add", [total, total]), rest])
    return Value(graph.node("Reshape", [total, graph.constant([-1, outputs, 1, 1], "int64")]), "int32")


def float_sums(site: Site, operation: Weighted, product: Product, value: str) -> str:
    graph, weights = site.graph, product.weights
    if not product.transposed:
        stored = graph.constant(weights, "float", f"{operation.cell}_w")
        return graph.node("Conv", [value, stored], **product.attributes)
    groups = product.attributes["group"]
    outputs, channels, *kernel = weights.shape
    turned = weights.reshape(groups, outputs // groups, channels, *kernel).swapaxes(1, 2)
    stored = graph.constant(turned.reshape(groups * channels, outputs // groups, *kernel), "float")
    made, source = site.made.dims, site.sources[0].dims
    attributes = dict(product.attributes)
    sizes = zip((source.height, source.width), (made.height, made.width), (0, 1), strict=True)
    attributes["output_padding"] = [
        out
        - (
            attributes["strides"][axis] * (size - 1)
            + attributes["dilations"][axis] * (kernel[axis] - 1)
            + 1
            - 2 * attributes["pads"][axis]
        )
        for size, out, axis in sizes
    ]
    return graph.node("ConvTranspose", [value, stored], **attributes)


def _by_digits(site: Site, operation: Weighted, product: Product) -> Value:
    """Codes of any width in digits, each convolved in float32, summed in int64."""
    total = on_digits(site, product.value, product.sums, lambda digit: float_sums(site, operation, product, digit))
    if total is None:
        raise site.no_form("its sums of weights reach 2^22, so that float32 is not exact even on digits of the codes")
    return total


def on_digits(site: Site, value: Value, sums: int, made: Callable[[str], str]) -> Value | None:
    """A linear function of codes of any width, int64: ``made`` gives it in float32 for each digit of the codes.

    ``sums`` is the largest sum of its |weights|. Digits have as many bits, at most eight, as keep every sum exact in
    float32; None if that is less than two.
    """
    bits = min(8, (EXACT["float"] // max(sums, 1)).bit_length() - 1)
    if bits < 2:
        return None
    graph = site.graph
    rest = graph.cast(value, "int64")
    base, total, place = graph.constant(1 << bits, "int64"), "", 1
    bound = max(site.sources[0].magnitude, 1)
    while True:
        last = bound < 1 << (bits - 1)
        digit = rest.name if last else graph.node("Mod", [rest.name, base])
        real = graph.cast(Value(digit, "int64"), "float").name
        part = graph.cast(Value(made(real), "float"), "int64").name
        if place > 1:
            part = graph.node("Mul", [part, graph.constant(place, "int64")])
        total = part if not total else graph.node("Add", [total, part])
        if last:
            return Value(total, "int64")
        rest = graph.floor_shift(rest, bits)
        bound, place = -(-bound >> bits), place << bits
