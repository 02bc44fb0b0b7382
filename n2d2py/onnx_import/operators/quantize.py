"""QuantizeLinear and DequantizeLinear in pairs: the quantizer of the activation before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import TensorProto

from n2d2py import console
from n2d2py.cells.base import PROVIDER, ActivatedCell
from n2d2py.onnx_import.constants import Grid
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.pooling import is_positive
from n2d2py.parts.activations import Linear
from n2d2py.parts.lsq import LsqActivations
from n2d2py.parts.quantizers import ActivationQuantizer, SatActivations
from n2d2py.registry import register

_INTEGERS = (
    TensorProto.INT4,
    TensorProto.UINT4,
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT16,
    TensorProto.UINT16,
)


@register("operator", "QuantizeLinear")
def quantize_linear(node: OnnxNode, importer: Importer) -> None:
    """Becomes a quantizer together with the DequantizeLinear nodes that alone may take it."""
    users = importer.users(node.outputs[0])
    if not users or any(user.operator != "DequantizeLinear" for user in users):
        raise UnsupportedError("something else than DequantizeLinear takes its integers")
    scale = importer.values(node, 1, "scale")
    zero = importer.constant(node.input(2)) if node.input(2) else None
    element = zero.element if zero is not None else int(node.get("output_dtype", 0)) or TensorProto.UINT8
    if element not in _INTEGERS:
        raise UnsupportedError("it does not give integers of 4 to 16 bits")
    zeros = np.zeros(1, np.int64) if zero is None else zero.array
    importer.integers_of.add(node.outputs[0])
    _attach(node, importer, Grid(scale, zeros, element))


@register("operator", "DequantizeLinear")
def dequantize_linear(node: OnnxNode, importer: Importer) -> None:
    """The values of the QuantizeLinear before it."""
    if node.input(0) not in importer.integers_of:
        raise UnsupportedError("its integers come from no QuantizeLinear")
    importer.give_feature(node, importer.feature(node.input(0)))


def _attach(node: OnnxNode, importer: Importer, grid: Grid) -> None:
    item = importer.feature(node.input(0))
    reason = None
    if grid.scale.size != 1 or float(grid.scale.ravel()[0]) <= 0:
        reason = "it has a scale for each channel"
    elif np.any(grid.zero):
        reason = "it has a zero point"
    elif item.source == PROVIDER:
        reason = "it is on the stimuli, which have the levels of their data"
    if reason is not None:
        console.notice(f"quantization {node.label} ({grid.bits} bits) of the ONNX model is left out: {reason}")
        importer.give_feature(node, item)
        return
    quantizer = _quantizer(grid, is_positive(importer, item.source))
    cell = importer.cells.get(item.source)
    if isinstance(cell, ActivatedCell) and cell.activation_quantizer is None and item.alone:
        importer.change(replace(cell, activation=cell.activation or Linear(), activation_quantizer=quantizer))
        importer.give_feature(node, item)
        return
    keys = {"NbOutputs": str(importer.outputs[item.source].channels)}
    usual = {"ActivationFunction": "Linear"}
    made = importer.add("Activation", importer.fresh(node.name), node, (item.source,), keys, usual)
    importer.change(replace(made, activation_quantizer=quantizer))  # type: ignore[call-arg]
    importer.give_feature(node, replace(item, source=made.name, alone=True))


def _quantizer(grid: Grid, positive: bool) -> ActivationQuantizer:
    """SAT where no code is below 0, its alpha the highest value; else LSQ with the step of the model."""
    scale = float(grid.scale.ravel()[0])
    if grid.signed and not positive:
        return LsqActivations(range=2**grid.bits - 1, signed=True, init_step=False, step_size=scale)
    highest = 2 ** (grid.bits - grid.signed) - 1
    return SatActivations(range=highest, alpha=scale * highest)
