"""Small ONNX models, and what they give in ONNX Runtime and as a network of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper

from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.layers.network import TorchNetwork
from n2d2py.onnx_import import Standalone, import_model
from n2d2py.quant.grid import Coded

SHAPE = (2, 4, 8, 6)


def values(*shape: int, seed: int = 0) -> np.ndarray:
    """Reals of both signs, float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def model(
    nodes: Sequence[NodeProto],
    constants: Mapping[str, np.ndarray] | None = None,
    shape: Sequence[int | str] = SHAPE,
    outputs: Sequence[str] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model with the input ``x``; its outputs are those of the last node if none are given."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [onnx.ValueInfoProto(name=name) for name in (outputs or nodes[-1].output)],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="test")
    made.ir_version = 4 if opset < 10 else 8
    return made


def saved(made: onnx.ModelProto, folder: Path, name: str = "model.onnx") -> Path:
    """The file of a model."""
    path = folder / name
    onnx.save(made, path)
    return path


def network_of(standalone: Standalone) -> Network:
    """The linted network of a model."""
    dims, nodes = {"env": standalone.dims}, []
    for cell in standalone.imported.cells:
        inputs = tuple(dims[parent] for parent in cell.inputs)
        nodes.append(Node(cell, inputs, cell.outputs(inputs), cell.maps(inputs)))
        dims[cell.name] = nodes[-1].output
    network = Network("model", standalone.dims, standalone.batch_size, tuple(nodes), (), standalone.imported.initial)
    lint(network)
    return network


def computed(path: Path, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], Standalone]:
    """(outputs in ONNX Runtime, outputs of the torch network in the same shapes, what was imported)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    wanted = session.run(None, {"x": x})
    standalone = import_model(path)
    network = TorchNetwork(network_of(standalone))
    network.fill(0)
    stimuli = torch.from_numpy(x).reshape(len(x), *standalone.dims.shape)
    given = network.evaluate(Coded(stimuli))
    cells = [standalone.imported.aliases.get(name, name) for name in names]
    got = [stimuli if cell == "env" else given[cell].real() for cell in cells]
    return wanted, [item.numpy().reshape(w.shape) for item, w in zip(got, wanted, strict=True)], standalone
