"""Softmax: along one axis, which is brought to the place of the channels."""

from __future__ import annotations

import math

from n2d2py.onnx_import.features import feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.registry import register

_BY_AXIS = 13
"""From this opset on along one axis, before over all axes from one on."""


@register("operator", "Softmax")
def softmax(node: OnnxNode, importer: Importer) -> None:
    """Softmax; at the end of the graph with WithLoss=1, so that it learns from a target."""
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    axis = int(node.get("axis", -1 if node.opset >= _BY_AXIS else 1))
    axis = axis + rank if axis < 0 else axis
    if not 0 < axis < rank:
        raise UnsupportedError(f"axis={axis} is that of the stimuli, or none of {rank}")
    last = not importer.users(node.outputs[0]) and not any(
        importer.overrides.feeds_a_section(name) for name in (node.name, node.proto.name) if name
    )
    if node.opset < _BY_AXIS:
        # Values from the axis on compete with each other, those before it count as stimuli.
        if math.prod(item.shape[1:axis]) != 1:
            raise UnsupportedError(f"axis={axis} of {rank} axes, before opset 13, has no cell")
        values = math.prod(item.shape[axis:])
        name = f"{node.name}_before"
        importer.view(name, node.input(0), (item.shape[0], values))
        flat = importer.dims_of(item.shape) == (1, 1, values, 1)  # else a Reshape comes after it
        cell = _cell(node, importer, importer.source(name), last and flat)
        importer.give_feature(node, importer.plain(cell, item.shape))
        return
    if axis == 1:
        cell = _cell(node, importer, importer.source(node.input(0)), last)
        importer.give_feature(node, importer.plain(cell, item.shape))
        return
    perm = (0, axis, *(other for other in range(1, rank) if other != axis))
    name = f"{node.name}_before"
    importer.keep(name, item.transposed(perm))
    cell = _cell(node, importer, importer.source(name), last=False)  # a Transpose comes after it
    back = tuple(perm.index(place) for place in range(rank))
    turned = feature(cell, tuple(item.shape[place] for place in perm), alone=True)
    importer.give_feature(node, turned.transposed(back))


def _cell(node: OnnxNode, importer: Importer, source: str, last: bool) -> str:
    name = importer.fresh(node.name)
    keys = {"NbOutputs": str(importer.outputs[source].channels), "WithLoss": "1" if last else "0"}
    importer.add("Softmax", name, node, (source,), keys)
    if last:
        importer.losses.append(name)
    return name
