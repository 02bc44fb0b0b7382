"""The QONNX export in qonnx's own executor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from integer import blocks

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.qonnx.exporter import build, export_qonnx

from .made import made, made_lenet, tiny_export


@pytest.mark.parametrize(("weights", "activations"), [(15, 15), (3, 7)])
@pytest.mark.filterwarnings("ignore")
def test_lenet_in_qonnx(weights: int, activations: int) -> None:
    pytest.importorskip("qonnx")
    learned, export, batch = made_lenet(weights, activations, 2)
    report = verification.compare(learned, export, [batch], ["QONNX"], required=True)
    assert report.all_equal, report.lines()


def test_the_file(tmp_path: Path) -> None:
    lines = export_qonnx(tiny_export(), tmp_path)
    model = onnx.load(tmp_path / "network.qonnx.onnx")
    quants = [node for node in model.graph.node if node.op_type == "Quant"]
    assert lines == [f"{len(model.graph.node)} nodes, {len(quants)} of them Quant"]
    assert {node.output[0] for node in quants} == {"env_quant", "fc1_w_quant", "fc1", "fc2_w_quant"}
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(facts["bits"]) == {"env": 4, "fc1:accumulator": 7, "fc1": 2, "fc2": 5}


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("resnet_v1", (15, 15)),
        ("resnet_v1", (255, 255)),
        ("resnet_v2", (3, 255)),
        ("mobilenet_v2", (15, 15)),
        ("inception", (15, 15)),
        ("autoencoder", (15, 15)),
        ("levels", (15, 15)),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_blocks_in_qonnx(name: str, ranges: tuple[int, int]) -> None:
    """Sums of branches, bottlenecks, concatenations, uneven levels: every cell's codes are the learned ones."""
    pytest.importorskip("qonnx")
    learned, export, batch = made(getattr(blocks, name)(*ranges), 1, 1)
    report = verification.compare(learned, export, [batch], ["QONNX"], required=True)
    assert report.all_equal, report.lines()
    stored = {row.cell for row in report.rows if "QONNX" in row.differing}
    assert stored == {row.cell for row in report.rows}


def test_a_residual_sum_is_arithmetic_on_integers() -> None:
    _, export, _ = made(blocks.resnet_v1(), 1)
    model, values = build(export)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds >= {"Quant", "MultiThreshold", "Mul", "Add", "Floor"}
    assert {node.domain for node in model.graph.node} == {"", "qonnx.custom_op.general"}
    sums = [operation.name for operation in export.network if type(operation).__name__ == "Alignment"]
    assert sums
    assert all(values[name].type in ("float", "double") for name in sums)


def test_sums_that_float64_does_not_hold_are_refused() -> None:
    export = tiny_export()
    edges = dict(export.network.edges)
    edges["fc1:accumulator"] = replace(edges["fc1:accumulator"], high=np.array([1 << 53, 5]))
    network = replace(export.network, edges=edges)
    with pytest.raises(IntegerError, match="Requantization fc1 of cell fc1 has no QONNX form") as caught:
        build(replace(export, network=network))
    assert "more than 53 bits" in str(caught.value)
