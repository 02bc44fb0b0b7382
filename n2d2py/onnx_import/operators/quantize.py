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
from n2d2py.onnx_import.operators.activations import clamp
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


BYTE = 8
"""Bits of a byte."""


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
    quantizer, reason = _quantizer(grid, is_positive(importer, item.source))
    if item.source == PROVIDER and _is_of_bytes(grid):
        reason = "it is on the stimuli, which have the levels of their data"
    if reason:
        console.notice(f"quantization {node.label} ({grid.bits} bits) of the ONNX model is left out: {reason}")
    if quantizer is None:
        # What is beyond its integers is cut off all the same: the only rectifier of a network may be there.
        clamp(node, importer, *grid.bounds, item)
        return
    if reason:
        importer.give_feature(node, item)
        return
    cell = importer.cells.get(item.source)
    if isinstance(cell, ActivatedCell) and cell.activation_quantizer == quantizer:
        importer.give_feature(node, item)  # its values are these levels
        return
    if isinstance(cell, ActivatedCell) and cell.activation_quantizer is None and item.alone:
        importer.change(replace(cell, activation=cell.activation or Linear(), activation_quantizer=quantizer))
        importer.give_feature(node, item)
        return
    keys = {"NbOutputs": str(importer.outputs[item.source].channels)}
    usual = {"ActivationFunction": "Linear"}
    made = importer.add("Activation", importer.fresh(node.name), node, (item.source,), keys, usual)
    importer.change(replace(made, activation_quantizer=quantizer))  # type: ignore[call-arg]
    importer.give_feature(node, replace(item, source=made.name, alone=True))


def _is_of_bytes(grid: Grid) -> bool:
    """Whether the levels are 0, 1/255 .. 1, those of images that are scaled as usual."""
    low, high = grid.bounds
    return grid.bits == BYTE and low == 0 and abs(high - 1) < 1e-5


def _quantizer(grid: Grid, positive: bool) -> tuple[ActivationQuantizer | None, str]:
    """The quantizer that gives these levels, or why there is none.

    SAT where no code is below 0, its alpha the highest value; else LSQ with the step of the model, its levels those of
    the integers less the zero point.
    """
    if grid.scale.size != 1 or grid.zero.size != 1:
        return None, "it has a scale for each channel"
    scale, zero = float(grid.scale.ravel()[0]), int(grid.zero.ravel()[0])
    levels = range(grid.codes[0] - zero, grid.codes[-1] - zero + 1)
    if not scale > 0:
        return None, f"its scale is {scale:g}"
    if levels[-1] <= 0:
        return None, "its zero point is the highest integer"
    if levels[0] == 0 or (positive and zero == 0):
        return SatActivations(range=levels[-1], alpha=scale * levels[-1]), ""
    if zero == 0:
        return LsqActivations(range=len(levels) - 1, signed=True, init_step=False, step_size=scale), ""
    if grid.bits > BYTE:
        return None, f"it has a zero point and {len(levels)} levels"
    return LsqActivations(levels=tuple(levels), init_step=False, step_size=scale), ""
