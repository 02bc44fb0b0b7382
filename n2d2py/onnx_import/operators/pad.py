"""Pad: Padding cells, zeros around the image."""

from __future__ import annotations

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.windows import pad_cell
from n2d2py.registry import register


@register("operator", "Pad")
def pad(node: OnnxNode, importer: Importer) -> None:
    """Zeros on the sides of width and height; below 0 a crop."""
    if node.get("mode", "constant") != "constant":
        raise UnsupportedError(f"mode {node.get('mode', '')} is not supported, constant is")
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    pads = node.get("pads", None)
    if pads is None:
        pads = importer.integers(node, 1, "pads")
    value = float(node.get("value", 0.0))
    if node.input(2):
        given = importer.values(node, 2, "value")
        value = float(np.ravel(given)[0]) if given.size else 0.0
    if pads is None:
        raise UnsupportedError("it has no pads")
    axes = importer.integers(node, 3, "axes")
    begins, ends = [0] * rank, [0] * rank
    for place, axis in enumerate(range(rank) if axes is None else axes):
        begins[axis], ends[axis] = pads[place], pads[len(pads) // 2 + place]
    if not any(begins) and not any(ends):
        importer.give_feature(node, item)
        return
    if value != 0:
        raise UnsupportedError(f"it pads with {value:g}; a Padding cell pads with 0")
    moved = item.transposed(tuple(np.argsort(item.order)))  # the axes as the cell before has them
    begins, ends = (
        [begins[item.order.index(axis)] for axis in range(rank)],
        [ends[item.order.index(axis)] for axis in range(rank)],
    )
    if begins[0] or ends[0] or begins[1:2] != [0] or ends[1:2] != [0] or rank not in (3, 4):
        raise UnsupportedError("it pads other axes than width and height")
    name = f"{node.name}_before"
    importer.keep(name, moved)
    source = importer.source(name)
    cell = pad_cell(node, importer, source, tuple(begins[2:]), tuple(ends[2:]), node.name)
    dims = importer.outputs[cell]
    shape = (item.shape[0], dims.channels, *((dims.height, dims.width) if rank == 4 else (dims.width,)))
    if importer.transpose and rank == 4:
        shape = (*shape[:2], shape[3], shape[2])
    importer.give_feature(node, importer.plain(cell, shape).transposed(item.order))
