"""The QONNX export in qonnx's own executor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.qonnx.exporter import build, export_qonnx

from .made import made_lenet, tiny_export


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


def test_sums_that_float32_does_not_hold_are_refused() -> None:
    export = tiny_export()
    edges = dict(export.network.edges)
    edges["fc1:accumulator"] = replace(edges["fc1:accumulator"], high=np.array([1 << 24, 5]))
    network = replace(export.network, edges=edges)
    with pytest.raises(IntegerError, match="Requantization fc1 of cell fc1 has no QONNX form") as caught:
        build(replace(export, network=network))
    assert "more than 24 bits" in str(caught.value)
