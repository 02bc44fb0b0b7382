"""BatchNormalization, LRN and Dropout."""

from __future__ import annotations

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.sharing import NORMALISED
from n2d2py.registry import register


@register("operator", "BatchNormalization")
def batch_normalization(node: OnnxNode, importer: Importer) -> None:
    """BatchNorm. ONNX's momentum is the part of the old running mean that stays, a cell's that of the batch: 1 - m."""
    source = importer.source(node.input(0))
    channels = importer.outputs[source].channels
    names = ("scales", "biases", "means", "variances")
    values = {}
    for index, name in enumerate(names, 1):
        array = importer.values(node, index, name)
        if array.shape != (channels,):
            raise UnsupportedError(f"its {name} have the shape {array.shape}, and its input has {channels} channels")
        values[name] = array
    if np.any(values["variances"] < 0):
        raise UnsupportedError("it has variances below 0")
    if not 0 < (kept := float(node.get("momentum", 0.9))) <= 1:
        raise UnsupportedError(f"momentum={kept:g} is not above 0 and at most 1")
    cell = importer.add(
        "BatchNorm",
        importer.fresh(node.name),
        node,
        (source,),
        {"NbOutputs": str(channels)},
        {"Epsilon": _short(node.get("epsilon", 1e-5)), "MovingAverageMomentum": _short(1 - float(_short(kept)))},
        category="BatchNorm",
    )
    importer.begin(cell, **values)
    importer.sharing.note(node, cell, NORMALISED)
    importer.give(node, cell)


@register("operator", "LRN")
def lrn(node: OnnxNode, importer: Importer) -> None:
    """LRN: N = size, K = bias."""
    if int(node.get("size", 1)) % 2 == 0:
        raise UnsupportedError(f"size={node.get('size', 1)} is even: there is no middle channel")
    source = importer.source(node.input(0))
    cell = importer.add(
        "LRN",
        importer.fresh(node.name),
        node,
        (source,),
        {"NbOutputs": str(importer.outputs[source].channels)},
        {
            "N": str(node.get("size", 1)),
            "Alpha": _short(node.get("alpha", 1e-4)),
            "Beta": _short(node.get("beta", 0.75)),
            "K": _short(node.get("bias", 1.0)),
        },
        category="LRN",
    )
    importer.give(node, cell)


@register("operator", "Dropout")
def dropout(node: OnnxNode, importer: Importer) -> None:
    """Dropout, whose ratio is an attribute before opset 12 and an input from then on."""
    if len(node.outputs) > 1 and node.outputs[1] and importer.users(node.outputs[1]):
        raise UnsupportedError("the output of its mask is not supported")
    ratio = float(node.get("ratio", 0.5))
    if node.input(1):
        given = importer.values(node, 1, "ratio")
        ratio = float(np.ravel(given)[0]) if given.size else ratio
    if not 0 <= ratio < 1:
        raise UnsupportedError(f"a ratio of {ratio:g} is not at least 0 and below 1")
    source = importer.source(node.input(0))
    keys = {"NbOutputs": str(importer.outputs[source].channels)}
    cell = importer.add(
        "Dropout", importer.fresh(node.name), node, (source,), keys, {"Dropout": _short(ratio)}, category="Dropout"
    )
    importer.give(node, cell)


def _short(value: float) -> str:
    """A float32 of the file as the decimal number that was meant."""
    return f"{float(value):.7g}"
