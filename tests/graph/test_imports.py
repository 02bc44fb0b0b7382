"""Sections of type ONNX as others write them: their cells among those of the INI file, and their targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from n2d2py.errors import GraphError

from .test_others import SCORED, made


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """conv1 -> relu1 -> fc1 -> prob_1, of images 2x6x6."""
    monkeypatch.chdir(tmp_path)
    values = {"w1": np.ones((4, 2, 3, 3), np.float32), "w2": np.ones((3, 64), np.float32), "b2": np.ones(3, np.float32)}
    nodes = [
        helper.make_node("Conv", ["data", "w1"], ["conv1"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Flatten", ["relu1"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w2", "b2"], ["fc1"], transB=1),
        helper.make_node("Softmax", ["fc1"], ["prob_1"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 2, 6, 6])],
        [helper.make_tensor_value_info("prob_1", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(tmp_path / "net.onnx"))
    return tmp_path


ONNX = (
    "DefaultModel=Frame_CUDA\n[sp]\nSizeX=6\nSizeY=6\nNbChannels=2\nBatchSize=4\n"
    "[onnx]\nInput=sp\nType=ONNX\nFile=net.onnx\n"
)


def test_an_imported_softmax_has_a_target_of_its_own(model: Path) -> None:
    network = made(ONNX)
    assert [node.name for node in network] == ["conv1", "fc1", "prob_1"]
    assert [(target.name, target.cell) for target in network.targets] == [("prob_1.Target", "prob_1")]
    assert np.array_equal(network.initial["fc1"]["biases"], np.ones(3))


def test_targets_on_imported_cells(model: Path) -> None:
    assert [target.name for target in made(ONNX + "[prob_1.Target-Top2]\nTopN=2\n").targets] == ["prob_1.Target-Top2"]
    (target, _) = made(ONNX + "[relu1.Target]\nType=Target\n").targets
    assert (target.name, target.cell) == ("relu1.Target", "conv1")


def test_cells_behind_an_import(model: Path) -> None:
    transfer = (
        "Ignore=prob_1\n[onnx:Conv_def]\nConfigSection=frozen\n[onnx:Fc_def]\nConfigSection=frozen\n"
        "[frozen]\nBackPropagate=0\n[fc2]\nInput=onnx,relu1\nType=Fc\nNbOutputs=5\n" + SCORED.format("fc2", 5)
    )
    network = made(ONNX + transfer)
    assert network["fc2"].parents == ("conv1",)
    assert not network["conv1"].cell.back_propagate  # type: ignore[attr-defined]
    assert [target.name for target in network.targets] == ["softmax.Target"]
    # In front of the import in the file, and without naming it.
    text = ONNX.replace("[onnx]", "[tail]\nInput=fc1\nType=Softmax\nNbOutputs=3\n[onnx]") + "Ignore=prob_1\n"
    assert [node.name for node in made(text)] == ["conv1", "fc1", "tail"]


def test_a_softmax_behind_an_imported_softmax(model: Path) -> None:
    network = made(ONNX + "[soft1]\nInput=prob_1\nType=Softmax\nNbOutputs=3\nWithLoss=1\n[soft1.Target]\n")
    assert not network["prob_1"].cell.is_loss
    assert [target.name for target in network.targets] == ["soft1.Target"]


def test_sections_of_imported_cells(model: Path) -> None:
    text = ONNX + (
        "[onnx:Conv_def]\nQWeight=SAT\nQWeight.Range=15\n[conv1]onnx:Conv_def\nQWeight.Range=255\n"
        "[ReluQ_def]\nActivationFunction=Rectifier\nQAct=SAT\nQAct.Range=15\n[relu1]ReluQ_def\n"
    )
    cell = made(text)["conv1"].cell
    assert cell.weights_quantizer.range == 255  # type: ignore[attr-defined]
    assert cell.activation_quantizer.range == 15  # type: ignore[attr-defined]


def test_names_that_no_import_gives(model: Path) -> None:
    with pytest.raises(GraphError) as error:
        made(ONNX + "[fc2]\nInput=fc11\nType=Fc\nNbOutputs=5\n")
    assert "input 'fc11' of cell fc2 does not exist" in str(error.value)
    assert "did you mean fc1?" in str(error.value)
    with pytest.raises(GraphError) as error:
        made(ONNX + "[fc2]\nInput=onnx\nType=Fc\nNbOutputs=5\n")
    assert "cell fc2 has no input" in str(error.value)
    assert "name a cell of the file that [onnx] imports" in str(error.value)
    with pytest.raises(GraphError) as error:
        made(ONNX + "[conv1]\nInput=fc1\nType=Fc\nNbOutputs=5\n")
    assert "exists twice" in str(error.value)
