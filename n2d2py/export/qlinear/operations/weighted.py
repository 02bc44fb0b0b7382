"""Conv, Deconv and Fc: QLinearConv where its rescaling is proved equal, else exact wide accumulators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from n2d2py.export.qlinear.fitting import Line, integer_line, steps_of
from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qlinear.operations.rescaling import fineness, finish, rescale
from n2d2py.export.qlinear.writing import IN_RESCALING, Site
from n2d2py.integer.network import Convolution, Deconvolution, FullyConnected, Requantization, Weighted
from n2d2py.registry import register

_PAIR = (1 << 15) - 1
"""Kernels for u8 x s8 may add two products in 16 bits, with saturation: both together must stay below."""


@dataclass(frozen=True, eq=False)
class Product:
    """A convolution as ONNX writes it: weights (outputs, inputs of a group, height, width), input, attributes."""

    weights: np.ndarray
    value: Value
    attributes: dict[str, Any]
    transposed: bool = False

    @property
    def sums(self) -> int:
        """Largest sum of |weight| over an output."""
        return int(np.abs(self.weights.reshape(len(self.weights), -1)).sum(axis=1).max(initial=0))


@register("onnx operation", "Convolution")
def convolution(site: Site) -> None:
    """A convolution; a negative padding crops first."""
    operation = site.operation
    assert isinstance(operation, Convolution)
    _emit(site, operation, _product(site, operation, _cropped(site, operation, site.inputs[0])))


@register("onnx operation", "Deconvolution")
def deconvolution(site: Site) -> None:
    """A transposed convolution, in float32 on codes."""
    operation = site.operation
    assert isinstance(operation, Deconvolution)
    product = _product(site, operation, site.inputs[0])
    if min(operation.padding) < 0:
        raise site.no_form("its padding is negative")
    _emit(site, operation, replace(product, transposed=True))


@register("onnx operation", "FullyConnected")
def fully_connected(site: Site) -> None:
    """A matrix product, written as a convolution of one place: unlike QLinearMatMul it has a bias."""
    operation, value = site.operation, site.inputs[0]
    assert isinstance(operation, FullyConnected)
    if site.sources[0].dims.width * site.sources[0].dims.height * site.sources[0].dims.depth > 1:
        shape = site.graph.constant([0, -1, 1, 1], "int64")
        value = replace(value, name=site.graph.node("Reshape", [value.name, shape]))
    _emit(site, operation, Product(operation.weights[:, :, None, None], value, {"kernel_shape": [1, 1]}))


def _product(site: Site, operation: Convolution, value: Value) -> Product:
    site.check_flat()
    (sx, sy), (bx, by), (px, py), (dx, dy) = (
        (pair[0], pair[1]) for pair in (operation.stride, operation.sub_sample, operation.padding, operation.dilation)
    )
    px, py = max(px, 0), max(py, 0)
    attributes = {
        "kernel_shape": list(operation.weights.shape[2:]),
        "strides": [sy * by, sx * bx],
        "pads": [py, px, py, px],
        "dilations": [dy, dx],
        "group": operation.groups,
    }
    return Product(operation.weights, value, attributes)


def _cropped(site: Site, operation: Convolution, value: Value) -> Value:
    px, py = operation.padding[0], operation.padding[1]
    if px >= 0 and py >= 0:
        return value
    dims, graph = site.sources[0].dims, site.graph
    starts, ends = [max(0, -py), max(0, -px)], [dims.height - max(0, -py), dims.width - max(0, -px)]
    ranges = [graph.constant(numbers, "int64") for numbers in (starts, ends, [2, 3])]
    return replace(value, name=graph.node("Slice", [value.name, *ranges]))


def _emit(site: Site, operation: Weighted, product: Product) -> None:
    taker = site.rescaling
    if taker is not None and product.value.type == "uint8" and not product.transposed and operation.bias is None:
        fast = _fast(site, operation, taker, product)
        if fast is not None:
            site.give(operation.name, fast, IN_RESCALING)
            site.give(taker.name, fast, "QLinearConv")
            return
    total, path = _wide(site, operation, product)
    named = None if taker is not None else operation.name
    result = _with_bias(site, operation, total, named)
    if taker is None:
        site.give(operation.name, result, path)
        return
    site.give(operation.name, result, path)
    rescale(site, taker, result, site.made)
    site.paths[taker.name] = f"{path}, {site.paths[taker.name]}"


def _fast(site: Site, operation: Weighted, taker: Requantization, product: Product) -> Value | None:
    """QLinearConv and a mask, or None if no line is equal at all edges."""
    if taker.rescaling.highest > 255:
        return None
    unit, fine = product.value.factor, fineness(taker)
    rows = product.weights.reshape(len(product.weights), -1)
    largest = np.abs(rows).max(axis=1, initial=0)
    most = max(int(site.sources[0].high.max()), 0) * unit
    steps = steps_of(taker.rescaling, site.made)
    for limit, kind in ((min(127, _PAIR // (2 * max(most, 1))), "int8"), (127, "uint8")):
        if limit < int(largest.max(initial=0)):
            continue
        lines: list[Line] = []
        for channel, one in enumerate(steps):
            room = limit // max(int(largest[channel]), 1)
            sums = int(np.abs(rows[channel]).sum()) * most
            factors = [factor for factor in _factors(room) if sums * factor < EXACT["int32"] // 2]
            line = integer_line(one, factors, unit, fine, taker.rescaling.highest)
            if line is None:
                break
            lines.append(line)
        else:
            return _written(site, operation, taker, product, lines, kind)
    return None


def _factors(room: int) -> list[int]:
    """Factors up to ``room`` that are worth a trial, the finest first."""
    return sorted({room, *(max(1, room * k // 8) for k in range(1, 8))}, reverse=True) if room else []


def _written(
    site: Site, operation: Weighted, taker: Requantization, product: Product, lines: list[Line], kind: str
) -> Value:
    graph, fine, name = site.graph, fineness(taker), operation.cell
    factors = np.array([line.factor * line.sign for line in lines]).reshape(-1, 1, 1, 1)
    zero = 0 if kind == "int8" else 128
    one, none = graph.constant(1.0, "float"), graph.constant(0, "uint8")
    inputs = [
        product.value.name, one, none,
        graph.constant(product.weights * factors + zero, kind, f"{name}_w"),
        graph.constant([line.scale for line in lines], "float", f"{name}_scale"),
        graph.constant(zero, kind), one, none,
        graph.constant([line.bias for line in lines], "int32", f"{name}_b"),
    ]  # fmt: skip
    fine_bytes = graph.node("QLinearConv", inputs, **product.attributes)
    return finish(site, taker, fine_bytes, fine)


def _wide(site: Site, operation: Weighted, product: Product) -> tuple[Value, str]:
    """The exact sums, without bias: int32 or wider."""
    unit = product.value.factor
    bound = product.sums * max(site.sources[0].magnitude, 1)
    if product.value.type == "uint8" and not product.transposed and bound * unit * 2 < EXACT["int32"]:
        return _integer(site, operation, product), "ConvInteger, u8 weights"
    if bound * unit < EXACT["float"]:
        real = site.graph.cast(product.value, "float")
        result = Value(_float(site, operation, product, real.name), "float", unit)
        return site.graph.cast(result, "int32"), "float32 Conv on codes"
    return _by_digits(site, operation, product), "float32 Conv on digits of codes"


def _integer(site: Site, operation: Weighted, product: Product) -> Value:
    """ConvInteger with u8 weights: as fast as QLinearConv with them, where s8 ones go an unoptimised way.

    Weights that do not fit a byte are split: w = 2 k + 1 for the odd codes 2k - 255, so that the sum is
    2 sum(k x) + sum(x).
    """
    graph, weights = site.graph, product.weights
    none, zero = graph.constant(0, "uint8"), graph.constant(128, "uint8")
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    if low >= -128 and high <= 127:
        stored = graph.constant(weights + 128, "uint8", f"{operation.cell}_w")
        return _convolved(site, product, stored, none, zero)
    digits = [weights >> 1, weights & 1]
    if low < -256 or high > 255:
        raise site.no_form(f"its weights {low}..{high} need more than nine bits")
    parts = []
    if product.attributes.get("group", 1) == 1 and np.all(digits[1] == digits[1][:1]):
        digits[1] = digits[1][:1]  # the same for all outputs: one sum of codes serves them
    for number, digit in enumerate(digits):
        name = f"{operation.cell}_w" + ("" if number == 0 else "_odd")
        stored = graph.constant(digit + 128, "uint8", name)
        parts.append(_convolved(site, product, stored, none, zero))
    doubled = graph.node("Add", [parts[0].name, parts[0].name])
    return Value(graph.node("Add", [doubled, parts[1].name]), "int32", product.value.factor)


def _convolved(site: Site, product: Product, stored: str, none: str, zero: str) -> Value:
    name = site.graph.node("ConvInteger", [product.value.name, stored, none, zero], **product.attributes)
    return Value(name, "int32", product.value.factor)


def _float(site: Site, operation: Weighted, product: Product, value: str) -> str:
    graph, weights = site.graph, product.weights
    if not product.transposed:
        name = f"{operation.cell}_w"
        stored = name if name in graph.initializers else graph.constant(weights, "float", name)
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
    total = on_digits(site, product.value, product.sums, lambda digit: _float(site, operation, product, digit))
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
    rest = graph.codes(value, "int64")
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


def _with_bias(site: Site, operation: Weighted, total: Value, output: str | None) -> Value:
    """``(sum << F) + bias`` in the narrowest type that holds it."""
    graph, edge = site.graph, site.made
    if operation.bias is None and output is None:
        return total
    type_ = "int32" if edge.magnitude < EXACT["int32"] and total.type == "int32" else "int64"
    if operation.bias is None:
        return graph.codes(total, type_, output) if total.factor > 1 else graph.cast(total, type_, output)
    codes = graph.codes(total, type_)
    scale = 1 << operation.bias_shift
    shifted = codes.name if scale == 1 else graph.node("Mul", [codes.name, graph.constant(scale, type_)])
    return Value(graph.node("Add", [shifted, graph.channelled(operation.bias, type_)], output), type_)
