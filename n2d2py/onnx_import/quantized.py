"""Quantizers that a model's QuantizeLinear and DequantizeLinear nodes stand for, as keys of an INI file."""

from __future__ import annotations

import numpy as np

from n2d2py import console
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode


def weight_settings(node: OnnxNode, importer: Importer, index: int) -> dict[str, str]:
    """``QWeight`` keys of weights that were dequantized from integers, {} for others.

    LSQ with the step of the model has the very grid where one step serves the whole tensor and codes are symmetric.
    """
    constant = importer.constant(node.input(index))
    grid = constant.grid if constant is not None else None
    if grid is None or not importer.loads_values:
        return {}
    told = f"weights of {node.label} have {grid.bits}-bit integers in the ONNX model"
    if grid.scale.size > 1 or np.any(grid.zero):
        why = "a scale for each channel" if grid.scale.size > 1 else "a zero point"
        console.notice(f"{told} with {why}, which LSQ has not; they are read as real numbers, without a quantizer")
        return {}
    return {
        "QWeight": "LSQ",
        "QWeight.Range": str(2**grid.bits - 1),
        "QWeight.StepSize": repr(float(grid.scale.ravel()[0])),
        "QWeight.SetOptInitStepSize": "0",
    }
