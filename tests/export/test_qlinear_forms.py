"""One network in all ONNX forms: QLinearConv, DequantizeLinear and QuantizeLinear, weights in 4 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from integer.learned import lenet
from onnx import TensorProto

from n2d2py.export import verification
from n2d2py.export.qlinear.exporter import FORMS, export_onnx, export_packed, export_qdq
from n2d2py.export.qlinear.graph import packing
from n2d2py.export.qlinear.model import build

from .made import made, made_lenet

RANGES = (1, 3, 7, 15, 31, 63, 127, 255)


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("executor", ["ONNX Runtime, QDQ", "ONNX Runtime, packed"])
def test_equal_for_all_bits(executor: str, bits: int) -> None:
    learned, export, batch = made_lenet(RANGES[bits - 1], RANGES[-bits])
    report = verification.compare(learned, export, [batch], [executor], required=True)
    assert report.all_equal, report.lines()


def test_qdq_has_no_qlinear_convolution(tmp_path: Path) -> None:
    _, export, _ = made_lenet()
    export_qdq(export, tmp_path)
    kinds = [node.op_type for node in onnx.load(tmp_path / "network.onnx").graph.node]
    assert "QLinearConv" not in kinds
    assert kinds.count("Conv") >= 2
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(tmp_path / "network.onnx", options, providers=["CPUExecutionProvider"])
    fused = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    plain = [node.op_type for node in build(export).proto.graph.node]
    assert fused.count("QLinearConv") == plain.count("QLinearConv") > 0


def test_what_an_integer_bias_would_make_faster_is_told(tmp_path: Path) -> None:
    """Of 8 bits: with real biases the cells are named, with integer ones all are QLinearConv and nothing is said."""
    text = lenet(255, 255).replace("QWeight=SAT", "QWeight=SAT\nQWeight.QuantMode=Symmetric")
    for whole in (False, True):
        _, export, _ = made(text.replace("QAct.Range=", "QAct.IntegerBias=1\nQAct.Range=") if whole else text)
        (tmp_path / str(whole)).mkdir()
        lines = export_onnx(export, tmp_path / str(whole))
        told = [line for line in lines if "IntegerBias" in line or "outside of QLinearConv" in line]
        assert len(told) == (0 if whole else 2), lines
        assert whole or told[0].endswith(": bn1, bn2")


def test_weights_of_four_bits_are_packed(tmp_path: Path) -> None:
    _, export, _ = made_lenet()
    lines = export_packed(export, tmp_path)
    assert any("QLinearConv" in line for line in lines)
    model = onnx.load(tmp_path / "network.onnx")
    assert model.opset_import[0].version == 21
    types = {tensor.name: tensor for tensor in model.graph.initializer}
    assert types["conv2_w"].data_type == TensorProto.UINT4
    count = int(np.prod(types["conv2_w"].dims))
    assert len(types["conv2_w"].raw_data) == (count + 1) // 2
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    given, wanted = np.load(tmp_path / "stimuli.npz"), np.load(tmp_path / "expected.npz")
    for output, values in zip(session.get_outputs(), session.run(None, dict(given)), strict=True):
        assert np.array_equal(values, wanted[output.name])


def test_packing_gives_the_integers_back() -> None:
    random = np.random.default_rng(0)
    factors, offsets = random.integers(1, 9, (6, 1, 1, 1)), random.integers(-40, 40, (6, 1, 1, 1))
    values = random.integers(0, 16, (6, 3, 2, 2)) * factors + offsets
    values[5] = 7  # an output of one number
    numbers, found, least = packing(values, 0)
    assert numbers.min() >= 0
    assert numbers.max() < 16
    assert np.array_equal(numbers * found + least, values)
    assert not list(packing(np.arange(17)[None], 0))


def test_all_forms_have_exporters() -> None:
    assert list(FORMS) == ["ONNX", "ONNX-QDQ", "ONNX-packed"]


HEAD = "DefaultModel=Frame\n[sp]\nSize=8 8 2\nBatchSize=4\n"
BYTES = "QWeight=LSQ\nQWeight.Range=255\n"
CODES = "QAct=LSQ\nQAct.Range=255\n"


@pytest.mark.parametrize("kind", ["Tanh", "Deconv", "two takers", "16 bits"])
def test_nothing_is_told_of_cells_that_would_not_gain(kind: str, tmp_path: Path) -> None:
    function, type_ = "Tanh" if kind == "Tanh" else "Rectifier", "Deconv" if kind == "Deconv" else "Conv"
    cell = f"NbOutputs=4\nKernelSize=3\n{BYTES}"
    text = f"{HEAD}[c]\nInput=sp\nType={type_}\n{cell}"
    act = f"ActivationFunction={function}\n{CODES}"
    ends = "c"
    if kind == "two takers":
        text += "".join(f"[b{k}]\nInput=c\nType=BatchNorm\nNbOutputs=4\n{act}" for k in (1, 2))
        ends = "b1,b2"
    elif kind == "16 bits":
        text += f"{act.replace('255', '65535')}[d]\nInput=c\nType=Conv\n{cell}{act}"
        ends = "d"
    else:
        text += act
    _, export, _ = made(f"{text}[fc]\nInput={ends}\nType=Fc\nNbOutputs=3\n{BYTES}", 2, 1)
    assert not [line for line in export_onnx(export, tmp_path) if "IntegerBias" in line]


@pytest.mark.parametrize(
    "weights",
    ["SAT\nQWeight.Range=254", "LSQ\nQWeight.Range=510\nQWeight.SetOptInitStepSize=0\nQWeight.StepSize=0.004"],
)
def test_weights_of_nine_bits_that_are_not_all_odd(weights: str) -> None:
    """Only odd ones are 2 k + 1: SAT's of an even range are even, LSQ's of nine bits both."""
    conv = f"[c]\nInput=sp\nType=Conv\nNbOutputs=4\nKernelSize=3\n{BYTES}ActivationFunction=Rectifier\n{CODES}"
    text = f"{HEAD}{conv}[fc]\nInput=c\nType=Fc\nNbOutputs=3\nQWeight={weights}\n"
    learned, export, batch = made(text, 2, 1)
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"], required=True)
    assert report.all_equal, report.lines()
