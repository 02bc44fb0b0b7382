"""Biases of Conv, Deconv and Fc cells: a node's own, or those that an Add after it gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from n2d2py import console
from n2d2py.cells.base import Cell, WeightedCell
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError


def bias_of(node: OnnxNode, importer: Importer, index: int, outputs: int) -> np.ndarray | None:
    """The constant bias at an input, one number an output; None if there is none."""
    if not node.input(index):
        return None
    values = importer.values(node, index, "bias")
    # A column is a number for each row, that is for each stimulus.
    if values.size not in (1, outputs) or (values.shape or (1,))[-1] != values.size:
        raise UnsupportedError(f"a bias of {values.size} values does not fit {outputs} outputs")
    return np.broadcast_to(np.ravel(values), (outputs,))


def give_biases(importer: Importer, cell: Cell, biases: np.ndarray | None) -> None:
    """Let a cell begin with ``biases``, which it must have unless an override has taken them away."""
    assert isinstance(cell, WeightedCell)
    if biases is None:
        return
    if cell.no_bias:
        console.warning(f"Biases in ONNX ignored for {cell.name}, because of NoBias=1, at: {cell.place('no_bias')}")
        return
    importer.begin(cell, biases=biases)


def add_biases(importer: Importer, cell: WeightedCell, more: np.ndarray) -> bool:
    """Add numbers to the biases of a cell, which gets some if it has none; False if an override forbids biases."""
    place = cell.place("no_bias")
    overridden = place is not None and place.file != importer.model.file
    if cell.no_bias and overridden:
        console.warning(f"Biases in ONNX ignored for {cell.name}, because of NoBias=1, at: {place}")
        return True
    own = importer.initial.get(cell.name, {}).get("biases")
    if own is None and not cell.no_bias and importer.loads_values:
        return False  # it begins with those of a filler, and the sum would be of two things
    importer.change(replace(cell, no_bias=False))
    importer.begin(cell, biases=more if own is None else own + more)
    return True
