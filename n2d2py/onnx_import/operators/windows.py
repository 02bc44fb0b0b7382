"""Windows that slide: padding on two sides, and the ONNX order of axes (depth, height, width) turned to X Y Z."""

from __future__ import annotations

from collections.abc import Sequence

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError

Sides = tuple[int, ...]


def axes_text(importer: Importer, values: Sequence[int], alone: int) -> str:
    """Numbers by spatial axis as an INI file has them, X first; ``alone`` is that of the Y of a row.

    With Transpose=1 the first axis of an image is X already.
    """
    if len(values) == 1:
        return f"{values[0]} {alone}"
    return " ".join(map(str, values if importer.transpose and len(values) == 2 else reversed(values)))


def paddings(
    node: OnnxNode,
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[Sides, Sides]:
    """Padding at the begin and at the end of each spatial axis, from ``pads`` or ``auto_pad``."""
    auto = node.get("auto_pad", "NOTSET")
    count = len(window)
    if any(stride < 1 for stride in strides) or any(step < 1 for step in dilations) or any(k < 1 for k in window):
        raise UnsupportedError("its kernel, strides and dilations must be at least 1")
    if auto in ("NOTSET", ""):
        pads = node.integers("pads", 2 * count, 0)
        if min(pads, default=0) < 0:
            raise UnsupportedError("negative pads are not supported")
        return pads[:count], pads[count:]
    if auto == "VALID":
        return (0,) * count, (0,) * count
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedError(f"auto_pad={auto} is not known")
    begins, ends = [], []
    for size, taps, stride, step in zip(sizes, window, strides, dilations, strict=True):
        reach = step * (taps - 1) + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        less, more = total // 2, total - total // 2
        begins.append(less if auto == "SAME_UPPER" else more)
        ends.append(more if auto == "SAME_UPPER" else less)
    return tuple(begins), tuple(ends)


def padded(node: OnnxNode, importer: Importer, begins: Sides, ends: Sides) -> tuple[str, Sides]:
    """The input of a cell and the padding that is left to it: a Padding cell is made if the sides differ."""
    source = importer.source(node.input(0))
    if begins == ends:
        return source, begins
    cell = pad_cell(node, importer, source, begins, ends, f"{node.name}_padding")
    return cell, (0,) * len(begins)


def pad_cell(node: OnnxNode, importer: Importer, source: str, begins: Sides, ends: Sides, name: str) -> str:
    """A Padding cell after ``source``: zeros, or a crop where a number is below 0."""
    if len(begins) > 2:
        raise UnsupportedError("padding that differs between the sides of a volume has no cell")
    rows, columns = (-2, -1) if not importer.transpose else (-1, -2)
    one_row = len(begins) == 1
    keys = {
        "TopPadding": 0 if one_row else begins[rows],
        "BottomPadding": 0 if one_row else ends[rows],
        "LeftPadding": begins[0] if one_row else begins[columns],
        "RightPadding": ends[0] if one_row else ends[columns],
        "NbOutputs": importer.outputs[source].channels,
    }
    texts = {key: str(value) for key, value in keys.items()}
    return importer.add("Padding", importer.fresh(name), node, (source,), texts).name
