"""Integers in a model: QuantizeLinear and DequantizeLinear, ConvInteger, MatMulInteger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from n2d2py.cells.base import ActivatedCell
from n2d2py.cells.conv import Conv
from n2d2py.cells.fc import Fc
from n2d2py.errors import GraphError
from n2d2py.onnx_import import import_model
from n2d2py.parts.activations import Rectifier
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import SatActivations
from tests.graph.networks import heard
from tests.onnx_import.models import computed, model, saved, values

CONV = helper.make_node("Conv", ["x", "w"], ["c"], "conv")
RELU = helper.make_node("Relu", ["c"], ["r"], "relu")
WEIGHTS = {"w": values(5, 4, 3, 3), "s": np.float32(0.02)}


def pair(of: str, zero: str = "z") -> list[NodeProto]:
    return [
        helper.make_node("QuantizeLinear", [of, "s", zero], ["q"], "quantize"),
        helper.make_node("DequantizeLinear", ["q", "s", zero], ["y"], "dequantize"),
    ]


def test_eight_bits_of_an_activation_are_its_quantizer_and_compute_the_same(tmp_path: Path) -> None:
    path = saved(model([CONV, RELU, *pair("r")], {**WEIGHTS, "z": np.uint8(0)}), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=3))
    (cell,) = standalone.imported.cells
    assert isinstance(cell, Conv)
    assert cell.activation == Rectifier()
    assert cell.activation_quantizer == SatActivations(range=255, alpha=float(np.float32(0.02)) * 255)
    step = 0.02
    # A sum that lies on the edge between two codes may fall on either side in float32.
    assert np.abs(wanted[0] - got[0]).max() <= step * 1.01
    assert np.mean(np.abs(wanted[0] - got[0]) > step / 2) < 0.01


def test_signed_integers_are_lsq_with_the_step_of_the_model(tmp_path: Path) -> None:
    path = saved(model([CONV, *pair("c")], {**WEIGHTS, "z": np.int8(0)}), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=3) / 4)
    (cell,) = standalone.imported.cells
    assert isinstance(cell, Conv)
    step = float(np.float32(0.02))
    assert cell.activation_quantizer == LsqActivations(range=255, signed=True, init_step=False, step_size=step)
    assert wanted[0].min() < 0
    assert np.abs(wanted[0] - got[0]).max() <= step * 1.01
    assert np.mean(np.abs(wanted[0] - got[0]) > step / 2) < 0.01


def test_signed_integers_of_values_without_sign_use_their_upper_half(tmp_path: Path) -> None:
    path = saved(model([CONV, RELU, *pair("r")], {**WEIGHTS, "z": np.int8(0)}), tmp_path)
    (cell,) = import_model(path).imported.cells
    assert isinstance(cell, ActivatedCell)
    assert cell.activation_quantizer is not None
    assert cell.activation_quantizer.range == 127


@pytest.mark.parametrize(
    ("of", "zero", "reason"),
    [
        ("r", np.uint8(3), "it has a zero point"),
        ("x", np.uint8(0), "it is on the stimuli"),
    ],
)
def test_what_no_quantizer_can_be_is_left_out_and_told(of: str, zero: np.generic, reason: str, tmp_path: Path) -> None:
    nodes = [CONV, RELU, *pair(of)]
    path = saved(model(nodes, {**WEIGHTS, "z": np.asarray(zero)}), tmp_path)
    with heard() as records:
        cells = import_model(path).imported.cells
    assert all(cell.activation_quantizer is None for cell in cells if isinstance(cell, ActivatedCell))
    assert any(f"is left out: {reason}" in record.getMessage() for record in records)


def test_integers_that_something_else_takes_are_refused(tmp_path: Path) -> None:
    nodes = [CONV, *pair("c"), helper.make_node("Cast", ["q"], ["k"], to=1)]
    with pytest.raises(GraphError, match="something else than DequantizeLinear takes its integers"):
        import_model(saved(model(nodes, {**WEIGHTS, "z": np.uint8(0)}, outputs=["y", "k"]), tmp_path))


def test_weights_from_integers(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(-127, 128, (5, 4, 3, 3), np.int8)
    nodes = [helper.make_node("DequantizeLinear", ["codes", "s", "z"], ["w"]), CONV]
    path = saved(model(nodes, {"codes": codes, "s": np.float32(0.02), "z": np.int8(0)}), tmp_path)
    with heard():
        standalone = import_model(path)
    (cell,) = standalone.imported.cells
    assert isinstance(cell, Conv)
    step = float(np.float32(0.02))
    assert cell.weights_quantizer == LsqWeights(range=255, init_step=False, step_size=step)
    weights = standalone.imported.initial["c"]["weights"]
    assert (weights == codes.astype(np.float32) * np.float32(0.02)).all()


def integer_model(node: NodeProto, constants: dict[str, np.ndarray], shape: tuple[int, ...]) -> object:
    made = model([node], constants, shape)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    return made


def test_conv_and_matmul_of_integers(tmp_path: Path) -> None:
    kernels = np.arange(-90, 90).reshape(5, 4, 3, 3).astype(np.int8)
    conv = helper.make_node("ConvInteger", ["x", "w"], ["y"])
    made = integer_model(conv, {"w": kernels}, (1, 4, 8, 6))
    result = import_model(saved(made, tmp_path)).imported  # type: ignore[arg-type]
    assert isinstance(result.cells[0], Conv)
    assert (result.initial["y"]["weights"] == kernels).all()
    matrix = np.arange(12).reshape(4, 3).astype(np.int8)
    made = integer_model(helper.make_node("MatMulInteger", ["x", "w"], ["y"]), {"w": matrix}, (1, 4))
    result = import_model(saved(made, tmp_path)).imported  # type: ignore[arg-type]
    assert isinstance(result.cells[0], Fc)
    assert (result.initial["y"]["weights"] == matrix.T).all()
    zero = helper.make_node("ConvInteger", ["x", "w", "z"], ["y"], "node")
    made = integer_model(zero, {"w": kernels, "z": np.asarray(np.uint8(1))}, (1, 4, 8, 6))
    with pytest.raises(GraphError, match="zero points are not supported"):
        import_model(saved(made, tmp_path))  # type: ignore[arg-type]


def test_integers_that_no_quantization_made_are_refused(tmp_path: Path) -> None:
    made = integer_model(helper.make_node("DequantizeLinear", ["x", "s"], ["y"]), {"s": np.float32(0.5)}, (1, 4, 8, 6))
    with pytest.raises(GraphError, match="its integers come from no QuantizeLinear"):
        import_model(saved(made, tmp_path))  # type: ignore[arg-type]
