"""Pooling, over windows and over whole channels: Pool cells that take each channel alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from n2d2py.cells.activation import Activation
from n2d2py.cells.base import PROVIDER, ActivatedCell, Cell, Dims
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.windows import Sides, pad_cell, paddings
from n2d2py.parts.activations import HardSigmoid, Linear, Logistic, LogisticWithLoss, Rectifier
from n2d2py.parts.quantizers import SatActivations
from n2d2py.registry import register

_KEEP_SIGN = ("Pool", "Dropout", "Padding", "LRN", "Reshape", "Transpose", "FMP", "Unpool", "Resize")


@register("operator", "MaxPool")
def max_pool(node: OnnxNode, importer: Importer) -> None:
    """Largest value of a window; padding never wins."""
    if len(node.outputs) > 1 and node.outputs[1]:
        raise UnsupportedError("the output of indices is not supported")
    _pool(node, importer, "Max")


@register("operator", "AveragePool")
def average_pool(node: OnnxNode, importer: Importer) -> None:
    """Mean of a window; count_include_pad says whether padding counts."""
    _pool(node, importer, "Average")


@register("operator", "GlobalMaxPool")
def global_max_pool(node: OnnxNode, importer: Importer) -> None:
    """Largest value of each channel."""
    _whole(node, importer, "Max")


@register("operator", "GlobalAveragePool")
def global_average_pool(node: OnnxNode, importer: Importer) -> None:
    """Mean of each channel."""
    _whole(node, importer, "Average")


@register("operator", "ReduceMax")
def reduce_max(node: OnnxNode, importer: Importer) -> None:
    """Largest value over all spatial axes."""
    _reduce(node, importer, "Max")


@register("operator", "ReduceMean")
def reduce_mean(node: OnnxNode, importer: Importer) -> None:
    """Mean over all spatial axes."""
    _reduce(node, importer, "Average")


class _Window(NamedTuple):
    """How a window slides, along X, Y and Z."""

    pool: Sequence[int]
    stride: Sequence[int]
    padding: Sequence[int]

    @classmethod
    def whole(cls, dims: Dims) -> _Window:
        """One window over all positions."""
        if dims.depth == 1:
            return cls((dims.width, dims.height), (1, 1), (0, 0))
        return cls((dims.width, dims.height, dims.depth), (1, 1, 1), (0, 0, 0))


def _whole(node: OnnxNode, importer: Importer, pooling: str) -> None:
    source = importer.source(node.input(0))
    window = _Window.whole(importer.outputs[source])
    importer.give(node, _cell(node, importer, pooling, source, window, importer.fresh(node.name)))


def _reduce(node: OnnxNode, importer: Importer, pooling: str) -> None:
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    axes = node.get("axes", None)
    if axes is None:
        axes = importer.integers(node, 1, "axes")
    if axes is None:
        axes = tuple(range(rank))
    reduced = {axis + rank if axis < 0 else axis for axis in axes}
    moved = {index for index, axis in enumerate(item.order) if axis >= 2}
    if rank < 3 or reduced != moved:
        told = " ".join(map(str, sorted(reduced)))
        raise UnsupportedError(f"it reduces axes {told}; only all spatial axes together have a cell")
    dims = importer.outputs[item.source]
    if item.base[1] != dims.channels:
        raise UnsupportedError("its input has another number of channels than the cell before it")
    importer.give(node, _cell(node, importer, pooling, item.source, _Window.whole(dims), importer.fresh(node.name)))


def _pool(node: OnnxNode, importer: Importer, pooling: str) -> None:
    item = importer.feature(node.input(0))
    sizes = item.shape[2:]
    if not 1 <= len(sizes) <= 3:
        raise UnsupportedError(f"an input of {len(item.shape)} axes is not supported")
    window = node.integers("kernel_shape", len(sizes), 1)
    strides = node.integers("strides", len(sizes), 1)
    dilations = node.integers("dilations", len(sizes), 1)
    if any(step != 1 for step, taps in zip(dilations, window, strict=True) if taps > 1):
        raise UnsupportedError(f"dilations {' '.join(map(str, dilations))} are not supported: windows have no gaps")
    if node.get("storage_order", 0):
        raise UnsupportedError("storage_order=1 is not supported")
    begins, ends = paddings(node, sizes, window, strides, dilations)
    wanted = ends
    if node.get("ceil_mode", 0):
        ends = _ceiled(sizes, window, strides, begins, ends)
    source = importer.source(node.input(0))
    counting = {}
    included = bool(node.get("count_include_pad", 0))
    if pooling == "Average" and (any(begins) or any(ends)):
        if ends != wanted and included and (any(wanted) or any(begins)):
            raise UnsupportedError("ceil_mode=1 with count_include_pad=1 counts some padding and some not")
        if not included or ends != wanted:
            counting = {"CountIncludePad": "0"}
    crop: tuple[Sides, Sides] | None = None
    if begins != ends:
        if counting or (pooling == "Max" and not is_positive(importer, source)):
            begins, crop = _widened(sizes, window, strides, begins, ends)
        else:
            source = pad_cell(node, importer, source, begins, ends, f"{node.name}_padding")
            begins = (0,) * len(begins)
    along = (window, strides, begins)
    if len(sizes) == 1:
        slides = _Window(*((*values, fill) for values, fill in zip(along, (1, 1, 0), strict=True)))
    elif importer.transpose and len(sizes) == 2:
        slides = _Window(*along)
    else:
        slides = _Window(*(tuple(reversed(values)) for values in along))
    if crop is None:
        importer.give(node, _cell(node, importer, pooling, source, slides, importer.fresh(node.name), counting))
        return
    whole = _cell(node, importer, pooling, source, slides, importer.fresh(f"{node.name}_whole"), counting)
    cropped = pad_cell(node, importer, whole.name, crop[0], crop[1], node.name)
    importer.give(node, importer.cells[cropped])


def _ceiled(sizes: Sequence[int], window: Sides, strides: Sides, begins: Sides, ends: Sides) -> Sides:
    """Padding at the end with which rounding down gives what rounding up gives, no window beginning in it."""
    result = []
    for size, taps, stride, begin, end in zip(sizes, window, strides, begins, ends, strict=True):
        steps = -(-(size + begin + end - taps) // stride)
        if steps * stride >= size + begin:
            steps -= 1
        result.append(max(end, steps * stride + taps - size - begin))
    return tuple(result)


def _widened(
    sizes: Sequence[int], window: Sides, strides: Sides, begins: Sides, ends: Sides
) -> tuple[Sides, tuple[Sides, Sides]]:
    """The same padding on both sides, and what of the larger output is to be cropped (negative, begin and end).

    Padding that is a multiple of the stride wider at the begin only adds windows there. The padding of a maximum is
    less than any value, that of a Padding cell is 0 and would win over negative ones. A window that lies wholly on
    padding is among the cropped ones.
    """
    padding, before, after = [], [], []
    for size, taps, stride, begin, end in zip(sizes, window, strides, begins, ends, strict=True):
        more = max(0, -(-(end - begin) // stride))
        wide = begin + more * stride
        wanted = (size + begin + end - taps) // stride + 1
        got = (size + 2 * wide - taps) // stride + 1
        padding.append(wide)
        before.append(-more)
        after.append(wanted + more - got)
    return tuple(padding), (tuple(before), tuple(after))


def is_positive(importer: Importer, source: str) -> bool:
    """Whether no value below 0 comes out of a cell, so that a zero of padding never wins a maximum."""
    left, seen = [source], set()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        cell = importer.cells.get(name)
        if cell is None or name == PROVIDER:
            return False
        if isinstance(cell, ActivatedCell):
            function = cell.activation
            rectified = isinstance(function, Rectifier) and function.leak_slope == 0
            if rectified or isinstance(function, Logistic | LogisticWithLoss | HardSigmoid):
                continue
            if isinstance(cell.activation_quantizer, SatActivations):
                continue
        joins = isinstance(cell, Activation) and cell.activation == Linear()
        if cell.type_name not in _KEEP_SIGN and not joins:
            return False
        left.extend(cell.inputs)
    return True


def _cell(
    node: OnnxNode,
    importer: Importer,
    pooling: str,
    source: str,
    window: _Window,
    name: str,
    counting: dict[str, str] | None = None,
) -> Cell:
    keys = {
        "Pooling": pooling,
        "NbOutputs": str(importer.outputs[source].channels),
        "PoolDims": " ".join(map(str, window.pool)),
        "StrideDims": " ".join(map(str, window.stride)),
        "PaddingDims": " ".join(map(str, window.padding)),
        **(counting or {}),
    }
    return importer.add("Pool", name, node, (source,), keys, category="Pool", unit_map=True)
