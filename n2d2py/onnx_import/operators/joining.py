"""Concat, Split and Slice: channels put together and taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from n2d2py.onnx_import.features import feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.windows import pad_cell
from n2d2py.registry import register


@register("operator", "Concat")
def concat(node: OnnxNode, importer: Importer) -> None:
    """A linear Activation cell over all inputs, whose channels a cell puts one after the other."""
    for name in node.inputs:
        if importer.constant(name) is not None:
            raise UnsupportedError(f"its input {name!r} is constant")
    items = [importer.feature(name) for name in node.inputs]
    rank = len(items[0].shape)
    axis = int(node.get("axis", 1))
    axis = axis + rank if axis < 0 else axis
    if len(items) == 1:
        importer.give_feature(node, items[0])
        return
    axes = {item.order[axis] for item in items}
    orders = {item.order for item in items}
    if axes == {1} and len(orders) == 1 and axis != 1:
        # Channels last on all sides: the cells join what they have as channels.
        sources = []
        for name, item in zip(node.inputs, items, strict=True):
            plain = f"{name}_plain"
            importer.keep(plain, item.transposed(tuple(int(place) for place in np.argsort(item.order))))
            sources.append(importer.source(plain))
        cell = _joined(node, importer, sources)
        shape = importer.shape_of(importer.outputs[cell])
        importer.give_feature(node, feature(cell, shape, True).transposed(items[0].order))
        return
    if axis != 1:
        raise UnsupportedError(f"axis={axis} is not that of the channels")
    cell = _joined(node, importer, [importer.source(name) for name in node.inputs])
    importer.give(node, importer.cells[cell])


def _joined(node: OnnxNode, importer: Importer, sources: Sequence[str]) -> str:
    channels = sum(importer.outputs[source].channels for source in sources)
    sizes = {importer.outputs[source]._replace(channels=0) for source in sources}
    if len(sizes) > 1:
        raise UnsupportedError("its inputs differ in size")
    usual = {"ActivationFunction": "Linear"}
    keys = {"NbOutputs": str(channels)}
    return importer.add("Activation", importer.fresh(node.name), node, tuple(sources), keys, usual).name


@register("operator", "Split")
def split(node: OnnxNode, importer: Importer) -> None:
    """Channels taken apart, a cell for each part."""
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    axis = int(node.get("axis", 0))
    axis = axis + rank if axis < 0 else axis
    if axis != 1:
        raise UnsupportedError(f"axis={axis} is not that of the channels")
    first = 0
    source = importer.source(node.input(0))
    for index, name in enumerate(node.outputs):
        shape = importer.folding.shapes.get(name)
        if shape is None:
            raise UnsupportedError("its parts are not constant")
        if name:
            _select(node, importer, source, range(first, first + shape[1]), index, name)
        first += shape[1]


@register("operator", "Slice")
def slice_(node: OnnxNode, importer: Importer) -> None:
    """A range of channels, or a crop of the image."""
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    found = _ranges(node, importer, item.shape)
    taken = {axis: chosen for axis, chosen in found.items() if chosen != range(item.shape[axis])}
    if not taken:
        importer.give_feature(node, item)
        return
    source = importer.source(node.input(0))
    if set(taken) == {1}:
        _select(node, importer, source, taken[1], 0, node.name)
        return
    if min(taken) < 2 or rank not in (3, 4) or any(chosen.step != 1 or not chosen for chosen in taken.values()):
        raise UnsupportedError("it takes other than a range of channels, or a part of the image without gaps")
    begins = tuple(-taken[axis].start if axis in taken else 0 for axis in range(2, rank))
    ends = tuple(taken[axis].stop - item.shape[axis] if axis in taken else 0 for axis in range(2, rank))
    cell = pad_cell(node, importer, source, begins, ends, node.name)
    importer.give(node, importer.cells[cell])


def _ranges(node: OnnxNode, importer: Importer, shape: Sequence[int]) -> dict[int, range]:
    """What is taken of each axis."""
    rank = len(shape)
    starts, ends, axes, steps = (node.get(name, None) for name in ("starts", "ends", "axes", "steps"))
    if starts is None:
        starts, ends = importer.integers(node, 1, "starts"), importer.integers(node, 2, "ends")
        axes, steps = importer.integers(node, 3, "axes"), importer.integers(node, 4, "steps")
    if starts is None or ends is None:
        raise UnsupportedError("its range is not constant")
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    found = {}
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = axis + rank if axis < 0 else axis
        if not 0 <= place < rank or step == 0:
            raise UnsupportedError("its range does not fit its input")
        found[place] = range(shape[place])[slice(start, end, step)]
    return found


def _select(node: OnnxNode, importer: Importer, source: str, chosen: range, index: int, name: str) -> None:
    """Some channels: a Pool cell of 1x1, each output of which is connected to one channel."""
    if not chosen:
        raise UnsupportedError("it takes no channel")
    dims = importer.outputs[source]
    keys = {"Pooling": "Max", "NbOutputs": str(len(chosen)), "PoolDims": "1 1"}
    cell = importer.add("Pool", importer.fresh(name), node, (source,), keys, category="Pool")
    matrix = np.zeros((dims.channels, len(chosen)), dtype=bool)
    matrix[list(chosen), range(len(chosen))] = True
    importer.change(replace(cell, mapping=importer.map_of(source, matrix)))  # type: ignore[call-arg]
    importer.give(node, importer.cells[cell.name], index)
