"""The ONNX export: standard operators, the cells' names, codes equal to the interpreter's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from integer.graphs import networks
from integer.networks import lenet_like, stimuli

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.executors import OnnxRuntime
from n2d2py.export.qlinear.exporter import export_onnx
from n2d2py.export.qlinear.model import build
from n2d2py.integer import interpreter
from n2d2py.integer.operations import Operation

from .made import made, made_lenet, tiny_export

RANGES = (1, 3, 7, 15, 31, 63, 127, 255)


@pytest.mark.parametrize("bits", range(1, 9))
def test_lenet_of_all_bits(bits: int) -> None:
    learned, export, batch = made_lenet(RANGES[bits - 1], RANGES[-bits])
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"], required=True)
    assert report.all_equal, report.lines()
    assert report.labels == 4


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks(text: str) -> None:
    learned, export, batch = made(text, 3)
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"], required=True)
    assert report.all_equal, "\n".join([*report.lines(), export.network.text()])


def test_the_file_runs_and_names_its_cells(tmp_path: Path) -> None:
    _, export, _ = made_lenet(count=5)
    lines = export_onnx(export, tmp_path)
    assert any("QLinearConv" in line for line in lines)
    model = onnx.load(tmp_path / "network.onnx")
    assert {opset.domain for opset in model.opset_import} == {""}
    names = {node.output[0] for node in model.graph.node}
    assert {"pool1", "bn2", "pool2", "fc1", "fc2"} <= names
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    given_, wanted = np.load(tmp_path / "stimuli.npz"), np.load(tmp_path / "expected.npz")
    assert given_["env"].dtype == np.uint8
    for output, values in zip(session.get_outputs(), session.run(None, dict(given_)), strict=True):
        assert np.array_equal(values, wanted[output.name])


def test_metadata_and_determinism() -> None:
    _, export, _ = made_lenet()
    model = build(export)
    facts = {entry.key: entry.value for entry in model.proto.metadata_props}
    assert facts["ini_sha256"] == export.ini_hash
    assert json.loads(facts["bits"])["bn1"] == 4
    assert model.proto.producer_name == "n2d2py"
    again = build(export).proto.SerializeToString(deterministic=True)
    assert again == model.proto.SerializeToString(deterministic=True)


def test_hot_path_of_four_bits() -> None:
    network = lenet_like()
    export = replace(tiny_export(), network=network, stimuli=stimuli(network, 3), targets=(("softmax", 0.5),))
    kinds = [node.op_type for node in build(export).proto.graph.node]
    assert kinds.count("QLinearConv") == 2
    assert "ConvInteger" not in kinds
    weights = {tensor.name: tensor.data_type for tensor in build(export).proto.graph.initializer}
    assert weights["conv2_w"] == onnx.TensorProto.INT8


def test_one_wrong_weight_is_seen() -> None:
    _, export, _ = made_lenet()
    executor = OnnxRuntime(export)
    weights = export.network["conv2"].weights.copy()
    weights[:, :, 2, 2] *= -1
    operations = tuple(
        replace(operation, weights=weights) if operation.name == "conv2" else operation for operation in export.network
    )
    wrong = interpreter.run(replace(export.network, operations=operations), export.stimuli)
    codes = executor.run(export.stimuli)
    assert np.array_equal(codes["pool1"], wrong["pool1"])
    assert not np.array_equal(codes["bn2"], wrong["bn2"])


class Unknown(Operation):
    """An operation that nobody can write."""


def test_an_operation_without_a_form_is_named() -> None:
    export = tiny_export()
    network = replace(export.network, operations=(*export.network.operations[:2], Unknown("fc2", "cell7", ("fc1",))))
    with pytest.raises(IntegerError, match="Unknown fc2 of cell cell7 has no ONNX form"):
        build(replace(export, network=network))
