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


def assert_few_codes_differ(wanted: np.ndarray, got: np.ndarray, step: float) -> None:
    """A sum that lies on the edge between two codes may fall on either side in float32."""
    assert np.abs(wanted - got).max() <= step * 1.01
    assert np.mean(np.abs(wanted - got) > step / 2) < 0.01


@pytest.mark.parametrize(
    ("zero", "levels"),
    [
        (np.int8(-128), None),
        (np.int8(-100), (-28, 227)),
        (np.int8(3), (-131, 124)),
        (np.uint8(3), (-3, 252)),
        (np.uint8(128), (-128, 127)),
        (np.int8(126), (-254, 1)),
    ],
)
def test_zero_points_are_levels(zero: np.generic, levels: tuple[int, int] | None, tmp_path: Path) -> None:
    """The lowest integer as zero point is a rectifier, and often the only one that an exporter has left."""
    path = saved(model([CONV, *pair("c")], {**WEIGHTS, "z": np.asarray(zero)}), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=3))
    (cell,) = standalone.imported.cells
    assert isinstance(cell, Conv)
    step = float(np.float32(0.02))
    if levels is None:
        assert cell.activation_quantizer == SatActivations(range=255, alpha=step * 255)
    else:
        every = tuple(range(levels[0], levels[1] + 1))
        assert cell.activation_quantizer == LsqActivations(levels=every, init_step=False, step_size=step)
    assert_few_codes_differ(wanted[0], got[0], step)


@pytest.mark.parametrize(
    ("zero", "scale", "reason"),
    [
        (np.int8(127), np.float32(0.02), "its zero point is the highest integer"),
        (np.uint16(3), np.float32(0.0001), "it has a zero point and 65536 levels"),
        (np.zeros(5, np.uint8), np.full(5, 0.005, np.float32), "it has a scale for each channel"),
    ],
    ids=["zero point at the end", "16 bits", "channels"],
)
def test_what_no_quantizer_can_be_is_told_and_still_cut_off(
    zero: np.generic, scale: np.generic, reason: str, tmp_path: Path
) -> None:
    constants = {**WEIGHTS, "s": np.asarray(scale), "z": np.asarray(zero)}
    path = saved(model([CONV, *pair("c")], constants, opset=21), tmp_path)
    with heard() as records:
        wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=3))
    (cell,) = standalone.imported.cells
    assert isinstance(cell, ActivatedCell)
    assert cell.activation_quantizer is None
    assert any(f"is left out: {reason}" in record.getMessage() for record in records)
    assert (wanted[0] == wanted[0].min()).mean() > 0.1
    assert np.abs(wanted[0] - got[0]).max() <= np.max(scale) * 0.51


def test_stimuli_of_bytes_have_their_levels_already(tmp_path: Path) -> None:
    constants = {**WEIGHTS, "s": np.float32(1 / 255), "z": np.uint8(0)}
    path = saved(model([*pair("x"), helper.make_node("Conv", ["y", "w"], ["k"])], constants, outputs=["k"]), tmp_path)
    x = np.random.default_rng(1).integers(0, 256, (2, 4, 8, 6)).astype(np.float32) / np.float32(255)
    with heard() as records:
        wanted, got, standalone = computed(path, x)
    assert [type(cell) for cell in standalone.imported.cells] == [Conv]
    assert any("is left out: it is on the stimuli" in record.getMessage() for record in records)
    assert np.allclose(wanted[0], got[0], atol=1e-5)


def test_other_stimuli_are_quantized_as_the_model_says(tmp_path: Path) -> None:
    constants = {**WEIGHTS, "z": np.uint8(114)}
    path = saved(model([*pair("x"), helper.make_node("Conv", ["y", "w"], ["k"])], constants, outputs=["k"]), tmp_path)
    wanted, got, standalone = computed(path, 4 * values(2, 4, 8, 6, seed=3))
    first = standalone.imported.cells[0]
    assert isinstance(first, ActivatedCell)
    assert first.activation_quantizer is not None
    assert np.allclose(wanted[0], got[0], atol=1e-4)


def test_the_same_levels_twice_are_one_quantizer(tmp_path: Path) -> None:
    again = [
        helper.make_node("Flatten", ["y"], ["f"]),
        helper.make_node("QuantizeLinear", ["f", "s", "z"], ["q2"], "again"),
        helper.make_node("DequantizeLinear", ["q2", "s", "z"], ["k"]),
    ]
    path = saved(model([CONV, *pair("c"), *again], {**WEIGHTS, "z": np.int8(-5)}, outputs=["k"]), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=3))
    assert [cell.type_name for cell in standalone.imported.cells] == ["Conv", "Reshape"]
    assert_few_codes_differ(wanted[0], got[0], 0.02)


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
