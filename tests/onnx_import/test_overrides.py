"""What an INI file says about imported cells: which section counts, and what it can say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, helper

from n2d2py import ini
from n2d2py.cells.base import ActivatedCell, Cell, Dims
from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.cells.conv import Conv
from n2d2py.cells.fc import Fc
from n2d2py.cells.pool import Pool
from n2d2py.cells.softmax import Softmax
from n2d2py.errors import GraphError, ParameterError
from n2d2py.onnx_import import Imported, import_section
from n2d2py.parts.activations import Linear, Logistic, Rectifier
from n2d2py.parts.fillers import ConstantFiller
from n2d2py.parts.quantizers import SatActivations, SatWeights
from tests.graph.networks import heard
from tests.onnx_import.models import model, saved, values

BN = {"s": values(5), "b": values(5, seed=1), "m": values(5, seed=2), "v": np.ones(5, np.float32)}
CONSTANTS = {"w": values(5, 4, 3, 3), "bias": values(5), "fw": values(120, 3), "fb": values(3), **BN}
NODES = [
    helper.make_node("Conv", ["x", "w", "bias"], ["c"], "conv_node"),
    helper.make_node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"], "norm_node", momentum=0.8, epsilon=1e-3),
    helper.make_node("Relu", ["n"], ["r"], "relu_node"),
    helper.make_node("Flatten", ["r"], ["f"], "flat_node"),
    helper.make_node("Gemm", ["f", "fw", "fb"], ["g"], "gemm_node"),
    helper.make_node("Dropout", ["g"], ["d"], "drop_node"),
    helper.make_node("Softmax", ["d"], ["y"], "soft_node", axis=1),
]
SHAPE = (1, 4, 8, 6)


def imported(
    folder: Path, text: str = "", section: str = "", nodes: list[NodeProto] | None = None
) -> tuple[dict[str, Cell], Imported, list[str]]:
    """Cells by name, the whole, and what was said, of an INI file with ``text`` and more keys in its ONNX section."""
    path = saved(model(nodes or NODES, CONSTANTS, SHAPE), folder)
    document = ini.loads(f"{text}\n[onnx]\nInput=sp\nType=ONNX\nFile={path}\n{section}\n", file="net.ini")
    with heard() as records:
        result = import_section(document, "onnx", ("env",), (Dims(6, 8, 4),))
    said = [record.getMessage() for record in records if record.levelname != "INFO"]
    return {cell.name: cell for cell in result.cells}, result, said


def test_cells_have_the_names_of_first_outputs_and_the_values_of_nodes(tmp_path: Path) -> None:
    cells, result, said = imported(tmp_path)
    assert not said
    assert list(cells) == ["c", "n", "g", "d", "y"]
    norm = cells["n"]
    assert isinstance(norm, BatchNorm)
    assert (norm.epsilon, norm.momentum) == (0.001, 0.2), "ONNX's momentum is what stays of the running values"
    assert norm.activation == Rectifier()
    assert (result.initial["g"]["weights"] == CONSTANTS["fw"].T).all()
    assert result.aliases["r"] == result.aliases["relu_node"] == result.aliases["f"] == "n"
    assert result.aliases["gemm_node"] == "g"
    assert cells["c"].place() is not None
    assert "ONNX node conv_node (Conv)" in str(cells["c"].place())


def test_own_section_comes_before_the_common_one_and_is_not_merged_with_it(tmp_path: Path) -> None:
    common = "[onnx:Conv_def]\nQWeight=SAT\nQWeight.Range=15\nWeightsFiller=ConstantFiller\nWeightsFiller.Value=2\n"
    cells, _, _ = imported(tmp_path, common)
    assert isinstance(cells["c"], Conv)
    assert cells["c"].weights_quantizer == SatWeights(range=15)
    assert cells["c"].weights_filler == ConstantFiller(value=2)
    cells, _, _ = imported(tmp_path, common + "[c]\nQWeight=SAT\nQWeight.Range=255\n")
    assert isinstance(cells["c"], Conv)
    assert cells["c"].weights_filler != ConstantFiller(value=2)
    cells, _, _ = imported(tmp_path, common + "[conv_node]onnx:Conv_def\nQWeight.Range=3\n")
    assert isinstance(cells["c"], Conv)
    assert cells["c"].weights_quantizer == SatWeights(range=3)
    assert cells["c"].weights_filler == ConstantFiller(value=2)


def test_the_first_output_comes_before_the_name_of_the_node(tmp_path: Path) -> None:
    cells, _, _ = imported(tmp_path, "[conv_node]\nQWeight=SAT\nQWeight.Range=3\n[c]\nQWeight=SAT\nQWeight.Range=7\n")
    assert isinstance(cells["c"], Conv)
    assert cells["c"].weights_quantizer == SatWeights(range=7)


def test_every_category(tmp_path: Path) -> None:
    text = """
[onnx:Fc_def]
QWeight=SAT
[onnx:BatchNorm_def]
ConfigSection=bn.config
[bn.config]
MovingAverageMomentum=0
Epsilon=0.5
[onnx:Dropout_def]
Dropout=0.25
"""
    cells, _, said = imported(tmp_path, text)
    assert not said
    fc, norm = cells["g"], cells["n"]
    assert isinstance(fc, Fc)
    assert isinstance(norm, BatchNorm)
    assert fc.weights_quantizer == SatWeights()
    assert (norm.momentum, norm.epsilon) == (0.0, 0.5)
    assert cells["d"].dropout == 0.25  # type: ignore[attr-defined]


def test_no_bias_of_an_override(tmp_path: Path) -> None:
    cells, result, said = imported(tmp_path, "[onnx:Conv_def]\nConfigSection=k\n[k]\nNoBias=1\n")
    assert isinstance(cells["c"], Conv)
    assert cells["c"].no_bias
    assert "biases" not in result.initial["c"]
    assert "Biases in ONNX ignored for c" in said[0]
    bare = [helper.make_node("Conv", ["x", "w"], ["c"], "conv_node")]
    cells, result, _ = imported(tmp_path, "[c]\nNoBias=0\n", nodes=bare)
    assert isinstance(cells["c"], Conv)
    assert not cells["c"].no_bias
    assert list(result.initial["c"]) == ["weights"], "the biases are the filler's"


def test_geometry_is_the_node_s(tmp_path: Path) -> None:
    cells, _, said = imported(tmp_path, "[c]\nKernelSize=5\nNbOutputs=9\n")
    assert isinstance(cells["c"], Conv)
    assert cells["c"].kernel == (3, 3)
    assert cells["c"].nb_outputs == 5
    assert any("KernelSize has no effect on c: the ONNX node gives it" in text for text in said)
    assert any("NbOutputs has no effect on c" in text for text in said)


def test_an_activation_in_the_section_of_a_weighted_cell_is_told(tmp_path: Path) -> None:
    cells, _, said = imported(tmp_path, "[onnx:Conv_def]\nActivationFunction=Tanh\nQAct=SAT\nQAct.Range=7\n")
    assert isinstance(cells["c"], ActivatedCell)
    assert cells["c"].activation is None
    assert any("QAct has no effect on c" in text for text in said)
    assert any("ActivationFunction has no effect on c" in text for text in said)


def test_unknown_keys_of_an_override_are_told(tmp_path: Path) -> None:
    _, _, said = imported(tmp_path, "[c]\nWeightFiller=HeFiller\n")
    assert any("unknown parameter WeightFiller (did you mean WeightsFiller?)" in text for text in said)
    with pytest.raises(ParameterError, match=r"unknown parameter QWeight\.Rnage"):
        imported(tmp_path, "[c]\nQWeight=SAT\nQWeight.Rnage=15\n")


@pytest.mark.parametrize("name", ["r", "relu_node"])
def test_the_section_of_an_activation_is_that_of_the_cell_before(name: str, tmp_path: Path) -> None:
    text = f"[q]\nActivationFunction=Linear\nQAct=SAT\nQAct.Range=15\nQActSolver.LearningRate=0.5\n[{name}]q\n"
    cells, _, said = imported(tmp_path, text)
    assert not said
    norm = cells["n"]
    assert isinstance(norm, BatchNorm)
    assert norm.activation == Linear()
    assert norm.activation_quantizer == SatActivations(range=15)
    assert norm.activation_quantizer_solver.learning_rate == 0.5  # type: ignore[attr-defined]


def test_a_quantizer_alone_keeps_the_node_s_function(tmp_path: Path) -> None:
    cells, _, _ = imported(tmp_path, "[r]\nQAct=SAT\n")
    norm = cells["n"]
    assert isinstance(norm, BatchNorm)
    assert norm.activation == Rectifier()
    assert norm.activation_quantizer == SatActivations()


RELUS = [
    helper.make_node("Conv", ["x", "w"], ["a"], "conv_a"),
    helper.make_node("Relu", ["a"], ["ra"], "relu_a"),
    helper.make_node("Conv", ["x", "w"], ["k"], "conv_k"),
    helper.make_node("Relu", ["k"], ["rb"], "relu_b"),
    helper.make_node("Sigmoid", ["k"], ["sb"], "sigmoid_b"),
    helper.make_node("Add", ["ra", "rb"], ["c"], "add_c"),
    helper.make_node("Mul", ["c", "sb"], ["y"], "mul_y"),
]


@pytest.mark.parametrize("spelling", ["onnx:Rectifier_def", "relu_a", "ra"])
def test_every_spelling_of_a_rectifier_s_section(spelling: str, tmp_path: Path) -> None:
    base = "[Rectifier_def]\nActivationFunction=Linear\nQAct=SAT\nQAct.Range=7\n"
    cells, _, said = imported(tmp_path, f"{base}[{spelling}]Rectifier_def\n", nodes=RELUS)
    assert not said
    a = cells["a"]
    assert (a.activation, a.activation_quantizer) == (Linear(), SatActivations(range=7))  # type: ignore[attr-defined]


def test_the_section_of_all_rectifiers(tmp_path: Path) -> None:
    text = "[onnx:Rectifier_def]\nQAct=SAT\nQAct.Range=7\n[relu_b]onnx:Rectifier_def\nQAct.Range=15\n"
    cells, _, said = imported(tmp_path, text, nodes=RELUS)
    assert not said
    assert cells["a"].activation == cells["rb"].activation == Rectifier()  # type: ignore[attr-defined]
    assert cells["a"].activation_quantizer == SatActivations(range=7)  # type: ignore[attr-defined]
    assert cells["rb"].activation_quantizer == SatActivations(range=15)  # type: ignore[attr-defined]
    assert cells["sb"].activation == Logistic()  # type: ignore[attr-defined]
    assert cells["sb"].activation_quantizer is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[onnx:Relu_def]\nQAct=SAT\n",
            "[onnx:Relu_def] has no effect: there is no such category, only onnx:Conv_def, ",
        ),
        (
            "[onnx:LRN_def]\nN=3\n",
            "[onnx:LRN_def] has no effect: there is no node of LRN, or each has a section of its own, at: net.ini:1",
        ),
        (
            "[ReluQ]\nQAct=SAT\n[relu_nod]ReluQ\n",
            "[relu_nod] has no effect: no node of [onnx] has this name or first output (did you mean relu_node?), "
            "at: net.ini:3",
        ),
        (
            "[onnx:Conv_def]\nQWeight=SAT\n[elsewhere]onnx:Conv_def\n",
            "[elsewhere] has no effect: no node of [onnx] has this name or first output, at: net.ini:3",
        ),
    ],
)
def test_a_section_that_hits_no_node_is_told(text: str, told: str, tmp_path: Path) -> None:
    _, _, said = imported(tmp_path, text)
    (line,) = said
    assert line.startswith(told)


def test_sections_that_are_no_overrides_are_not_told(tmp_path: Path) -> None:
    text = (
        "[base]\nQAct=SAT\n[c]base\n[other.config]\nNoBias=1\n[mine]base\nInput=onnx, y\nType=Activation\nNbOutputs=3\n"
    )
    _, _, said = imported(tmp_path, text.replace("[c]base", "[r]base"))
    assert not said


def test_an_activation_goes_to_its_producer_and_not_to_the_last_cell(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["e"]),
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["e"], ["ra"]),
        helper.make_node("Sigmoid", ["c"], ["rb"]),
        helper.make_node("Add", ["ra", "rb"], ["y"]),
    ]
    cells, _, _ = imported(tmp_path, nodes=nodes)
    assert cells["e"].activation == Rectifier()  # type: ignore[attr-defined]
    assert cells["c"].activation == Logistic()  # type: ignore[attr-defined]
    assert cells["y"].inputs == ("e", "c")


def test_a_producer_that_feeds_others_keeps_its_values(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Identity", ["a"], ["i"]),
        helper.make_node("Relu", ["i"], ["r"], "relu"),
        helper.make_node("Add", ["a", "r"], ["y"]),
    ]
    cells, _, _ = imported(tmp_path, "[r]\nActivationFunction=Linear\nQAct=SAT\nQAct.Range=7\n", nodes=nodes)
    assert cells["a"].activation is None  # type: ignore[attr-defined]
    assert cells["r"].activation_quantizer == SatActivations(range=7)  # type: ignore[attr-defined]
    assert cells["y"].inputs == ("a", "r")


def test_a_value_that_the_graph_gives_out_is_not_changed(tmp_path: Path) -> None:
    path = saved(model(NODES[:3], CONSTANTS, SHAPE, outputs=["n", "r"]), tmp_path)
    document = ini.loads(f"[onnx]\nInput=sp\nType=ONNX\nFile={path}\n", file="net.ini")
    result = import_section(document, "onnx", ("sp",), (Dims(6, 8, 4),))
    assert [cell.type_name for cell in result.cells] == ["Conv", "BatchNorm", "Activation"]


def test_softmax_at_the_end_has_a_loss_unless_the_ini_file_goes_on(tmp_path: Path) -> None:
    cells, result, _ = imported(tmp_path)
    assert isinstance(cells["y"], Softmax)
    assert cells["y"].with_loss
    assert result.losses == ("y",)
    cells, result, _ = imported(tmp_path, "[mine]\nInput=onnx, y\nType=Softmax\nNbOutputs=3\n")
    assert isinstance(cells["y"], Softmax)
    assert not cells["y"].with_loss
    assert result.losses == ()


def test_ignore(tmp_path: Path) -> None:
    cells, result, said = imported(tmp_path, section="Ignore=y")
    assert list(cells) == ["c", "n", "g", "d"]
    assert result.losses == ()
    assert not said
    cells, _, said = imported(tmp_path, section="Ignore=d missing")
    assert list(cells) == ["c", "n", "g"]
    assert any("soft_node is left out" in text for text in said)
    assert any("Ignore=missing: no node" in text for text in said)


def test_ignore_leaves_unsupported_nodes_out(tmp_path: Path) -> None:
    nodes = [*NODES[:1], helper.make_node("Erf", ["c"], ["e"])]
    assert list(imported(tmp_path, section="Ignore=e", nodes=nodes)[0]) == ["c"]


def test_onnx_init_0_loads_no_values(tmp_path: Path) -> None:
    cells, result, _ = imported(tmp_path, section="ONNX_init=0")
    assert result.initial == {}
    assert not cells["c"].no_bias  # type: ignore[attr-defined]
    assert cells["n"].epsilon == 0.001  # type: ignore[attr-defined]


def test_another_size_of_stimuli_is_told_once(tmp_path: Path) -> None:
    path = saved(model(NODES[:3], CONSTANTS, (1, 4, 9, 9)), tmp_path)
    text = f"[onnx]\nInput=sp\nType=ONNX\nFile={path}\n"
    for more, count in (("", 1), ("IgnoreInputSize=1\n", 0)):
        with heard() as records:
            import_section(ini.loads(text + more, file="net.ini"), "onnx", ("sp",), (Dims(6, 8, 4),))
        said = [record.getMessage() for record in records if record.levelname == "WARNING"]
        assert len(said) == count
    assert "is 4x9x9 in the model" not in said


def test_number_of_inputs(tmp_path: Path) -> None:
    path = saved(model(NODES, CONSTANTS, SHAPE), tmp_path)
    document = ini.loads(f"[onnx]\nInput=sp,a\nType=ONNX\nFile={path}\n", file="net.ini")
    with pytest.raises(GraphError) as caught:
        import_section(document, "onnx", ("sp", "a"), (Dims(6, 8, 4), Dims(6, 8, 4)))
    assert caught.value.what == "[onnx] has 2 inputs, the ONNX model 1: x"


def test_file_may_name_a_variable_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(model(NODES, CONSTANTS, SHAPE), tmp_path)
    monkeypatch.setenv("MY_MODELS", str(tmp_path))
    document = ini.loads("[onnx]\nInput=sp\nType=ONNX\nFile=${MY_MODELS}/model.onnx\n", file="net.ini")
    assert len(import_section(document, "onnx", ("sp",), (Dims(6, 8, 4),)).cells) == 5


def test_channels_last_models_lose_their_transposes(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"]),
        helper.make_node("Transpose", ["c"], ["u"], perm=[0, 2, 3, 1]),
        helper.make_node("Relu", ["u"], ["r"]),
        helper.make_node("Transpose", ["r"], ["back"], perm=[0, 3, 1, 2]),
        helper.make_node("MaxPool", ["back"], ["p"], kernel_shape=[2, 2]),
    ]
    path = saved(model(nodes, CONSTANTS, (1, 8, 6, 4)), tmp_path)
    document = ini.loads(f"[onnx]\nInput=sp\nType=ONNX\nFile={path}\n", file="net.ini")
    cells = import_section(document, "onnx", ("sp",), (Dims(6, 8, 4),)).cells
    assert [cell.type_name for cell in cells] == ["Conv", "Pool"]
    assert cells[0].activation == Rectifier()  # type: ignore[attr-defined]


def test_transpose_exchanges_width_and_height(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], pads=[1, 0, 1, 0], strides=[1, 2]),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 1]),
    ]
    kernels = values(5, 4, 3, 2)
    path = saved(model(nodes, {"k": kernels}, (1, 4, 6, 8)), tmp_path)
    document = ini.loads(f"[onnx]\nInput=sp\nType=ONNX\nFile={path}\nTranspose=1\n", file="net.ini")
    result = import_section(document, "onnx", ("sp",), (Dims(6, 8, 4),))
    conv, pool = result.cells
    assert isinstance(conv, Conv)
    assert isinstance(pool, Pool)
    assert (conv.kernel, conv.padding, conv.stride, pool.pool) == ((3, 2), (1, 0), (1, 2), (2, 1))
    assert (result.initial["c"]["weights"] == kernels.swapaxes(2, 3)).all()


@pytest.mark.parametrize("cntk", ["", "CNTK=0", "CNTK=1"])
def test_an_add_behind_a_matmul_is_its_bias_with_and_without_cntk(cntk: str, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("MatMul", ["f", "big"], ["m"]),
        helper.make_node("Add", ["m", "fb"], ["y"]),
    ]
    constants = {"big": values(192, 3), "fb": values(3)}
    path = saved(model(nodes, constants, SHAPE), tmp_path)
    document = ini.loads(f"[onnx]\nInput=sp\nType=ONNX\nFile={path}\n{cntk}\n", file="net.ini")
    result = import_section(document, "onnx", ("env",), (Dims(6, 8, 4),))
    (fc,) = result.cells
    assert isinstance(fc, Fc)
    assert not fc.no_bias
    assert (result.initial[fc.name]["biases"].ravel() == constants["fb"]).all()
