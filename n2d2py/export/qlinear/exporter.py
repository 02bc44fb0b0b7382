"""The exporter called ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from n2d2py import tables
from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.qlinear.graph import Form
from n2d2py.export.qlinear.model import PLAIN, Model, build
from n2d2py.registry import register

_SHOWN = 4  # cells that are named

FORMS = {"ONNX": PLAIN, "ONNX-QDQ": Form(qdq=True), "ONNX-packed": Form(packed=True)}
"""The exporters, and how each writes the same integers."""


@register("exporter", "ONNX")
def export_onnx(export: Export, folder: Path) -> list[str]:
    """QLinearConv and integers; the stimuli as the input takes them, and the outputs that they must give."""
    return _written(export, folder, FORMS["ONNX"])


@register("exporter", "ONNX-QDQ")
def export_qdq(export: Export, folder: Path) -> list[str]:
    """The same network with DequantizeLinear, Conv and QuantizeLinear, for runtimes that put these together."""
    return _written(export, folder, FORMS["ONNX-QDQ"])


@register("exporter", "ONNX-packed")
def export_packed(export: Export, folder: Path) -> list[str]:
    """The same network with weights of at most 16 levels in 4 bits."""
    return _written(export, folder, FORMS["ONNX-packed"])


def _written(export: Export, folder: Path, form: Form) -> list[str]:
    model = build(export, form=form)
    (folder / "network.onnx").write_bytes(model.proto.SerializeToString(deterministic=True))
    write_arrays(folder / "stimuli.npz", {PROVIDER: export.stimuli.astype(model.stimuli_type)})
    write_arrays(folder / "expected.npz", {model.outputs[name]: export.expected[name] for name in export.outputs})
    return lines(export, model)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Arrays by name, as numpy.load reads them."""
    np.savez(path, **arrays)


def lines(export: Export, model: Model) -> list[str]:
    """How each operation is computed, for the console."""
    rows = [
        (operation.name, type(operation).__name__, value.type, model.paths[operation.name])
        for operation in export.operations
        for value in [model.values[operation.name]]
    ]
    return [*tables.table(("operation", "kind", "stored as", "computed by"), rows), *_advice(model.unequal)]


def _advice(cells: Sequence[str]) -> list[str]:
    """That QLinearConv would compute some cells if their biases were whole accumulators."""
    if not cells:
        return []
    named = ", ".join(cells[:_SHOWN]) + (f" and {len(cells) - _SHOWN} others" if len(cells) > _SHOWN else "")
    return [
        f"outside of QLinearConv, because no integer bias is equal to theirs: {named}",
        "QAct.IntegerBias=1 in these cells makes their biases integers in testing too, and the model faster",
    ]
