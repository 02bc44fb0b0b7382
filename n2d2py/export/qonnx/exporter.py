"""The exporter and the executor called QONNX."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
from onnx import helper

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.qlinear.exporter import write_arrays
from n2d2py.export.qlinear.graph import IR_VERSION, TYPES, Graph, Value
from n2d2py.export.qonnx import operations  # noqa: F401 - the operations register themselves
from n2d2py.export.qonnx.writing import DOMAIN, KIND, Site, quant
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Lookup
from n2d2py.registry import find, known, register
from n2d2py.version import __version__

OPSET = 13
PIXELS = "pixels"
"""Name of the input where bytes enter."""


def build(export: Export) -> tuple[onnx.ModelProto, dict[str, Value]]:
    """The model for one stimulus at a time, and the tensor of each operation.

    Raises :class:`IntegerError` for an operation without exact QONNX form.
    """
    graph, network = Graph(), export.network
    stimuli = network.stimuli
    low, high = int(stimuli.low.min()), int(stimuli.high.max())
    bits = 1 + max(high.bit_length(), (-low - 1).bit_length()) if low < 0 else max(1, high.bit_length())
    entry = quant(graph, _codes(graph, network), 1.0, 0.0, bits, low < 0, f"{PROVIDER}_quant")
    values = {PROVIDER: Value(entry, "float")}
    for operation in export.operations:
        site = Site(export, graph, operation, values)
        kind = type(operation).__name__
        if not known(KIND, kind):
            raise site.no_form()
        find(KIND, kind)(site)
    outputs = [
        helper.make_tensor_value_info(values[name].name, TYPES[values[name].type], (1, *network.edges[name].dims.shape))
        for name in export.outputs
    ]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name or "network",
            [helper.make_tensor_value_info(*_input(network.lookup), (1, *stimuli.dims.shape))],
            outputs,
            list(graph.initializers.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)],
        ir_version=IR_VERSION,
        producer_name="n2d2py",
        producer_version=__version__,
    )
    facts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in export.facts().items()}
    helper.set_model_props(model, facts)
    return model, values


def _input(lookup: Lookup | None) -> tuple[str, int]:
    """Name and type of what enters: codes, or bytes of which a table makes them."""
    return (PROVIDER, TYPES["float"]) if lookup is None else (PIXELS, TYPES["uint8"])


def _codes(graph: Graph, network: IntegerNetwork) -> str:
    """The tensor of the codes of the stimuli."""
    lookup, axes = network.lookup, len(network.stimuli.dims.shape)
    if lookup is None:
        return PROVIDER
    places = graph.node("Cast", [PIXELS], to=TYPES["int64"])
    if len(lookup.table) > 1:
        starts = np.arange(0, lookup.table.size, 256).reshape(1, -1, *[1] * (axes - 1))
        places = graph.node("Add", [places, graph.constant(starts, "int64")])
    return graph.node("Gather", [graph.constant(lookup.table.ravel(), "float", "lookup"), places], PROVIDER, axis=0)


def _entering(export: Export, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Stimuli as the model takes them."""
    pixels = export.pixels(codes)
    return {PROVIDER: codes.astype(np.float32)} if pixels is None else {PIXELS: pixels}


@register("exporter", "QONNX")
def export_qonnx(export: Export, folder: Path) -> list[str]:
    """The model, stimuli, and the codes that its outputs must have."""
    model, values = build(export)
    (folder / "network.qonnx.onnx").write_bytes(model.SerializeToString(deterministic=True))
    write_arrays(folder / "stimuli.npz", _entering(export, export.stimuli))
    write_arrays(folder / "expected.npz", {values[name].name: export.expected[name] for name in export.outputs})
    count = sum(node.op_type == "Quant" for node in model.graph.node)
    return [f"{len(model.graph.node)} nodes, {count} of them Quant"]


@contextlib.contextmanager
def _old_files() -> Iterator[None]:
    """Models that are made inside have the IR version of ours.

    qonnx makes one for each node, with the newest version that onnx knows, which ONNX Runtime may not know yet.
    """
    with mock.patch.object(onnx, "IR_VERSION", IR_VERSION):
        yield


@register("executor", "QONNX")
class Qonnx:
    """The QONNX export in qonnx's own executor, one stimulus at a time."""

    def __init__(self, export: Export) -> None:
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.transformation.infer_shapes import InferShapes

        self._export = export
        model, values = build(export)
        self._model = ModelWrapper(model).transform(InferShapes())
        self._tensors = {operation.name: values[operation.name].name for operation in export.operations}

    @staticmethod
    def missing() -> str | None:
        """It needs the package qonnx."""
        return None if importlib.util.find_spec("qonnx") else "the package qonnx is not installed"

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """Codes of all operations."""
        from qonnx.core.onnx_exec import execute_onnx

        entering = _entering(self._export, stimuli)
        with _old_files():
            rows = [
                execute_onnx(self._model, {name: values[index : index + 1] for name, values in entering.items()}, True)
                for index in range(len(stimuli))
            ]
        codes = {}
        for name, tensor in self._tensors.items():
            real = np.concatenate([row[tensor] for row in rows])
            whole = real.astype(np.int64)
            codes[name] = np.where(whole == real, whole, np.iinfo(np.int64).min)
        return codes

    def close(self) -> None:
        """It holds nothing outside of this process."""
