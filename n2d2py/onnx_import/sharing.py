"""Tensors that several nodes of a model take: their cells share them, so that they stay one when they learn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

import numpy as np

from n2d2py.cells.base import Cell
from n2d2py.onnx_import.node import OnnxNode

WEIGHTED = {"weights_sharing": 1, "biases_sharing": 2}
NORMALISED = {"scales_sharing": 1, "biases_sharing": 2, "means_sharing": 3, "variances_sharing": 4}
"""The field of a cell that names the one whose tensor it uses, and the input of the node that is the tensor."""


class Sharing:
    """Which cells were made of the same initializers."""

    def __init__(self) -> None:
        self._owners: dict[Hashable, str] = {}
        self._shared: dict[tuple[str, str], str] = {}

    def note(self, node: OnnxNode, cell: Cell, fields: Mapping[str, int], form: Hashable = None) -> None:
        """Remember of which initializers a cell was made, for what no override section says it shares.

        ``form`` is what beside the type of the cell must be the same: how a tensor of the model becomes that of the
        cell.
        """
        for field, index in fields.items():
            name = node.input(index)
            if name and not getattr(cell, field):
                owner = self._owners.setdefault((type(cell), field, name, form), cell.name)
                if owner != cell.name and "," not in owner:  # by commas names are told apart
                    self._shared[cell.name, field] = owner

    def settle(self, cells: dict[str, Cell], initial: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write it into the cells, when no later node can change a tensor of one of them alone any more."""
        for (name, field), owner in self._shared.items():
            tensor = field.removesuffix("_sharing")
            if tensor == "biases" and any(getattr(cells[one], "no_bias", False) for one in (name, owner)):
                continue
            mine, its = (initial.get(one, {}).get(tensor) for one in (name, owner))
            if mine is its or (mine is not None and its is not None and np.array_equal(mine, its)):
                shared = (owner,) if field == "weights_sharing" else owner
                cells[name] = replace(cells[name], **{field: shared})  # type: ignore[arg-type]
