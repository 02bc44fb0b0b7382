"""Gemm, MatMul and MatMulInteger: Fc cells, of the inputs in their order (channel by channel).

A matrix that multiplies the last of several axes is a Conv of 1x1, for which that axis becomes the channels.
"""

from __future__ import annotations

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.biases import bias_of, give_biases
from n2d2py.onnx_import.quantized import weight_settings
from n2d2py.onnx_import.sharing import WEIGHTED
from n2d2py.registry import register


@register("operator", "Gemm")
def gemm(node: OnnxNode, importer: Importer) -> None:
    """y = alpha A B + beta C: alpha and beta become part of weights and biases."""
    if node.get("transA", 0):
        raise UnsupportedError("transA=1 mixes stimuli")
    weights = importer.values(node, 1, "matrix B")
    if weights.ndim != 2:
        raise UnsupportedError(f"its matrix B has {weights.ndim} axes")
    if not node.get("transB", 0):
        weights = weights.T
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    biases = bias_of(node, importer, 2, weights.shape[0])
    _connect(node, importer, weights if alpha == 1 else weights * np.float32(alpha), _scaled(biases, beta))


@register("operator", "MatMul")
def matmul(node: OnnxNode, importer: Importer) -> None:
    """Fc without biases, on the last of several axes a Conv of 1x1; an Add of a constant after it gives the biases."""
    weights = importer.values(node, 1, "second operand")
    if weights.ndim != 2:
        raise UnsupportedError(f"its second operand has {weights.ndim} axes, not two")
    _connect(node, importer, weights.T, None)


@register("operator", "MatMulInteger")
def matmul_integer(node: OnnxNode, importer: Importer) -> None:
    """MatMul of integers without zero points."""
    if any(node.inputs[2:]):
        raise UnsupportedError("zero points are not supported")
    matmul(node, importer)


def _scaled(biases: np.ndarray | None, beta: float) -> np.ndarray | None:
    return biases if biases is None or beta == 1 else biases * np.float32(beta)


def _connect(node: OnnxNode, importer: Importer, weights: np.ndarray, biases: np.ndarray | None) -> None:
    item = importer.feature(node.input(0))
    values = int(np.prod(item.shape[1:]))
    if len(item.shape) > 2 and item.shape[-1] != values:
        _connect_last_axis(node, importer, weights)
        return
    if weights.shape[1] != values:
        raise UnsupportedError(f"weights of {weights.shape[1]} inputs do not fit {values} values")
    source = importer.rows(node.input(0))
    dims = importer.outputs[source]
    if importer.transpose and dims.width * dims.height > 1:
        form = (weights.shape[0], dims.channels, dims.width, dims.height)
        weights = weights.reshape(form).swapaxes(2, 3).reshape(weights.shape)
    cell = importer.add(
        "Fc",
        importer.fresh(node.name),
        node,
        (source,),
        {"NbOutputs": str(weights.shape[0])},
        {"NoBias": "1" if biases is None else "0", **weight_settings(node, importer, 1)},
        category="Fc",
    )
    importer.begin(cell, weights=weights)
    give_biases(importer, cell, biases)
    scaling = tuple(node.get(name, usual) for name, usual in (("alpha", 1.0), ("beta", 1.0), ("transB", 0)))
    importer.sharing.note(node, cell, WEIGHTED, (scaling, dims))
    importer.give(node, cell)


def _connect_last_axis(node: OnnxNode, importer: Importer, weights: np.ndarray) -> None:
    item = importer.feature(node.input(0))
    if weights.shape[1] != item.shape[-1]:
        raise UnsupportedError(f"weights of {weights.shape[1]} inputs do not fit an axis of {item.shape[-1]}")
    if importer.transpose:
        raise UnsupportedError("with Transpose=1 the last of several axes cannot be multiplied")
    rank = len(item.shape)
    before = f"{node.name}_before"
    importer.keep(before, item.transposed((0, rank - 1, *range(1, rank - 1))))
    kernel = (1,) * max(2, rank - 2)
    cell = importer.add(
        "Conv",
        importer.fresh(node.name),
        node,
        (importer.source(before),),
        {"NbOutputs": str(weights.shape[0]), "KernelDims": " ".join(map(str, kernel))},
        {"NoBias": "1", **weight_settings(node, importer, 1)},
        category="Fc",
    )
    importer.begin(cell, weights=weights.reshape(*weights.shape, *kernel))
    importer.sharing.note(node, cell, WEIGHTED, (kernel, node.operator))
    shape = (item.shape[0], weights.shape[0], *item.shape[1:-1])
    importer.give_feature(node, importer.plain(cell.name, shape).transposed((0, *range(2, rank), 1)))
