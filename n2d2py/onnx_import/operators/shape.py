"""What only names axes anew: Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Identity, Cast.

No value moves; :meth:`Importer.source` makes a cell of it where the next one needs other dimensions.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from n2d2py.onnx_import.features import Feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.registry import register

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)


@register("operator", "Reshape")
def reshape(node: OnnxNode, importer: Importer) -> None:
    """Other lengths of axes."""
    _renamed(node, importer)


@register("operator", "Flatten")
def flatten(node: OnnxNode, importer: Importer) -> None:
    """One axis of values a stimulus."""
    _renamed(node, importer)


@register("operator", "Squeeze")
def squeeze(node: OnnxNode, importer: Importer) -> None:
    """Without axes of length 1."""
    _renamed(node, importer)


@register("operator", "Unsqueeze")
def unsqueeze(node: OnnxNode, importer: Importer) -> None:
    """With axes of length 1."""
    _renamed(node, importer)


@register("operator", "Identity")
def identity(node: OnnxNode, importer: Importer) -> None:
    """The same."""
    importer.give_feature(node, importer.feature(node.input(0)))


@register("operator", "Cast")
def cast(node: OnnxNode, importer: Importer) -> None:
    """The same, between types of real numbers."""
    if node.get("to", 0) not in _FLOATS or importer.folding.elements.get(node.input(0)) == TensorProto.BOOL:
        raise UnsupportedError("a cast of what stimuli compute to other than a type of real numbers")
    importer.give_feature(node, importer.feature(node.input(0)))


@register("operator", "Transpose")
def transpose(node: OnnxNode, importer: Importer) -> None:
    """Axes in another order; two that cancel leave nothing behind."""
    item = importer.feature(node.input(0))
    rank = len(item.shape)
    perm = tuple(node.get("perm", tuple(reversed(range(rank)))))
    if sorted(perm) != list(range(rank)):
        raise UnsupportedError(f"perm {' '.join(map(str, perm))} does not fit {rank} axes")
    if perm[0] != 0 and item.shape[perm[0]] * item.shape[0] != 1:
        raise UnsupportedError("it moves the axis of the stimuli")
    importer.give_feature(node, item.transposed(perm))


def _renamed(node: OnnxNode, importer: Importer) -> None:
    name = node.input(0)
    item = importer.feature(name)
    shape = importer.folding.shapes.get(node.outputs[0])
    if shape is None:
        raise UnsupportedError("its new shape is not constant")
    if not shape or shape[0] != item.shape[0] or (item.shape[0] == 1 and _takes_batch(node, importer)):
        told = f"{'x'.join(map(str, item.shape))} to {'x'.join(map(str, shape))}"
        raise UnsupportedError(f"it mixes stimuli: {told}")
    if np.prod(shape) != np.prod(item.shape):
        raise UnsupportedError("it changes the number of values")
    if not item.in_order:
        item = _moved(importer, name, item)
    importer.give_feature(node, item.reshaped(shape))


def _moved(importer: Importer, name: str, item: Feature) -> Feature:
    """A tensor whose values have been put in order by a Transpose cell."""
    source = importer.rows(name)
    return Feature(source, item.shape, tuple(range(len(item.shape))), False)


def _takes_batch(node: OnnxNode, importer: Importer) -> bool:
    """Whether Squeeze takes the axis of the stimuli away."""
    if node.operator != "Squeeze":
        return False
    axes = node.get("axes", None)
    if axes is None:
        axes = importer.integers(node, 1, "axes")
    rank = len(importer.feature(node.input(0)).shape)
    return axes is not None and 0 in {axis + rank if axis < 0 else axis for axis in axes}
