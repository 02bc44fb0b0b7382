"""Conv, Deconv and Fc: QLinearConv where its rescaling is proved equal, else exact wide accumulators."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.export.qlinear.graph import EXACT, Value
from n2d2py.export.qlinear.operations.product import Product, windows
from n2d2py.export.qlinear.operations.quantized import quantized_sums
from n2d2py.export.qlinear.operations.rescaling import finish, lines_of, on_lines, rescale
from n2d2py.export.qlinear.operations.wide import float_sums, is_exact_in_floats, wide_sums
from n2d2py.export.qlinear.writing import IN_RESCALING, Site
from n2d2py.integer.operations import Convolution, Deconvolution, FullyConnected, MaxPool, Requantization, Weighted
from n2d2py.registry import register


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
    weights = operation.weights[:, :, None, None]
    _emit(site, operation, Product(weights, value, {"kernel_shape": [1, 1]}, is_matrix=True))


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
    if taker is not None and operation.bias is None and not product.transposed and product.value.type == "uint8":
        fast = quantized_sums(site, operation, taker, product)
        if fast is not None:
            site.give(operation.name, fast, IN_RESCALING)
            site.give(taker.name, fast, "QLinearConv")
            return
        if _pooled(site, operation, taker, product):
            return
    total, path = wide_sums(site, operation, product)
    named = None if taker is not None else operation.name
    result = _with_bias(site, operation, total, named)
    site.give(operation.name, result, path)
    if taker is not None:
        rescale(site, taker, result, site.made)
        site.paths[taker.name] = f"{path}, {site.paths[taker.name]}"


def _pooled(site: Site, operation: Weighted, taker: Requantization, product: Product) -> bool:
    """Whether maxima could be taken before the rescaling, which they leave as it is: fewer numbers to rescale.

    Weights of channels whose codes fall with their sums are negated, so that the largest code is that of the largest
    sum.
    """
    takers = site.export.network.consumers(taker.name)
    if taker.name in site.export.outputs or len(takers) != 1 or taker.renumbers:
        return False
    (pool,) = takers
    if not isinstance(pool, MaxPool) or pool.mapping is not None or not is_exact_in_floats(site, product):
        return False
    lines = lines_of(taker.rescaling, site.made)
    if lines is None:
        return False
    rising, signs = lines.rising()
    signed = replace(product, weights=product.weights * signs.reshape(-1, *[1] * (product.weights.ndim - 1)))
    real = site.graph.cast(product.value, "float").name
    sums = float_sums(site, operation, signed, real)
    largest = Value(site.graph.node("MaxPool", [sums], **windows(pool)), "float")
    codes = on_lines(site, largest, rising, taker.rescaling.highest)
    result = finish(site, taker, codes, pool.name)
    site.give(operation.name, result, IN_RESCALING)
    site.give(taker.name, result, IN_RESCALING)
    site.give(pool.name, result, f"float32 Conv on codes, maxima, {lines.path}")
    return True


def _with_bias(site: Site, operation: Weighted, total: Value, output: str | None) -> Value:
    """``(sum << F) + bias`` in the narrowest type that holds it."""
    graph, edge = site.graph, site.made
    if operation.bias is None and output is None:
        return total
    type_ = "int32" if edge.magnitude < EXACT["int32"] and total.type == "int32" else "int64"
    if operation.bias is None:
        return graph.cast(total, type_, output)
    codes = graph.cast(total, type_)
    scale = 1 << operation.bias_shift
    shifted = codes.name if scale == 1 else graph.node("Mul", [codes.name, graph.constant(scale, type_)])
    return Value(graph.node("Add", [shifted, graph.channelled(operation.bias, type_)], output), type_)
