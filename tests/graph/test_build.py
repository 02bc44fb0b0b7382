"""From INI to network: which sections are cells, in which order, and every mistake with its place and remedy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from n2d2py import console, ini
from n2d2py.cells.base import PROVIDER, Cost
from n2d2py.errors import GraphError, IniError, N2d2Error, ParameterError
from n2d2py.graph.build import build, report_unused
from n2d2py.parts.activations import Linear
from n2d2py.parts.solvers import SGD
from tests.graph.networks import HEAD, TAIL, TINY, heard, network, warnings

DATA = Path(__file__).parent.parent / "data"
GOLDEN = Path(__file__).parent.parent / "golden"


def said(document: ini.Document) -> str:
    with heard() as records:
        build(document, "LeNet.ini")
        report_unused(document)
    return "".join(record.getMessage() + "\n" for record in records if record.levelno < console.logging.WARNING)


def last(lines: str) -> str:
    """TINY with other lines for the cell ``last``."""
    return HEAD + "\n[last]\nInput=sp\nNbOutputs=2\n" + lines + TAIL


# --------------------------------------------------------------------------------------------- the tutorial


def test_tutorial_totals() -> None:
    built = build(ini.load(DATA / "LeNet_clamp.ini"), "LeNet.ini")
    assert built.cost == Cost(6732, 14732, 61470, 416520, 422824)
    assert (built.stimuli, built.batch_size) == ((32, 32, 1), 256)
    assert [target.name for target in built.targets] == ["softmax.Target"]


def test_tutorial_lines() -> None:
    assert said(ini.load(DATA / "LeNet_clamp.ini")) == (GOLDEN / "LeNet_build.txt").read_text(encoding="utf-8")


def test_tutorial_values_come_from_the_right_sections() -> None:
    built = build(ini.load(DATA / "LeNet_clamp.ini"), "LeNet.ini")
    conv = built["conv1"].cell
    assert conv.inputs == (PROVIDER,)
    assert (conv.no_bias, conv.weights_solver) == (True, SGD(learning_rate=0.05))  # type: ignore[attr-defined]
    assert "inherited from [Conv_def]" in str(conv.place("weights_quantizer"))
    assert "configuration of [conv1]" in str(conv.place("no_bias"))


def test_lenet_with_a_map_on_conv2() -> None:
    """The check value that N2D2 gives for its own LeNet.ini, whose conv2 has LeCun's map of 60 pairs."""
    rows = [
        [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
        [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
        [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
        [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
        [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
        [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
    ]
    matrix = " ".join(" ".join(str(int(output in row)) for output in range(16)) for row in rows)
    pool = "Type=Pool\nPoolSize=2\nStride=2\nPooling=Max\nMapping.Size=1\n"
    conv = "Type=Conv\nKernelSize=5\nNoBias=1\n"
    built = network(
        "[sp]\nSizeX=32\nSizeY=32\nBatchSize=128\n"
        f"[conv1]\nInput=sp\n{conv}NbOutputs=6\n[pool1]\nInput=conv1\n{pool}NbOutputs=6\n"
        f"[conv2]\nInput=pool1\n{conv}NbOutputs=16\nMapping(pool1)={matrix}\n[pool2]\nInput=conv2\n{pool}NbOutputs=16\n"
        f"[conv3]\nInput=pool2\n{conv}NbOutputs=120\n"
        "[fc1]\nInput=conv3\nType=Fc\nNoBias=1\nNbOutputs=84\n[drop]\nInput=fc1\nType=Dropout\nNbOutputs=84\n"
        "[fc2]\nInput=drop\nType=Fc\nNoBias=1\nNbOutputs=10\n[softmax]\nInput=fc2\nType=Softmax\nNbOutputs=10\n"
        "[softmax.Target]\n"
    )
    assert built.cost == Cost(6612, 8188, 60570, 326520, 332824)


# ------------------------------------------------------------------------------------------ cells and order


def test_the_provider_has_three_names() -> None:
    for section, name in (("sp", "env"), ("env", "cenv"), ("cenv", "sp")):
        built = network(TINY.replace("[sp]", f"[{section}]").replace("Input=sp", f"Input={name}"))
        assert built["conv"].parents == (PROVIDER,)


def test_env_comes_before_sp() -> None:
    assert network(TINY + "[env]\nSizeX=16\nSizeY=16\nNbChannels=2\n").stimuli == (16, 16, 2)


def test_layers_by_depth_and_file_order_within() -> None:
    body = "Type=Dropout\nNbOutputs=2\n"
    text = HEAD + (
        f"[late]\nInput=b,a\nType=Dropout\nNbOutputs=4\n[b]\nInput=sp\n{body}[deep]\nInput=b\n{body}[a]\nInput=sp\n{body}"
    )
    assert [node.name for node in network(text)] == ["b", "a", "late", "deep"]


def test_input_may_be_inherited() -> None:
    text = HEAD + "[one]\nInput=sp\nType=Dropout\nNbOutputs=2\n[two]one\n"
    assert [node.parents for node in network(text)] == [("env",), ("env",)]


def test_inputs_are_trimmed() -> None:
    text = HEAD + "[a]\nInput=sp\nType=Dropout\nNbOutputs=2\n[b]\nInput=a, sp\nType=Dropout\nNbOutputs=4\n"
    assert network(text)["b"].parents == ("a", "env")


def test_cells_publish_their_dimensions() -> None:
    published = ("_NbChannels", "_ChannelsWidth", "_ChannelsHeight", "_NbOutputs", "_OutputsWidth", "_OutputsHeight")
    document = ini.loads(TINY.replace("PoolSize=2\nStride=2", "PoolDims=[conv]_OutputsWidth 2"), file="net.ini")
    built = build(document, "net.ini")
    values = [document.value("conv", key) for key in published]
    assert [value.text for value in values if value is not None] == ["2", "8", "8", "4", "6", "6"]
    assert built["last"].output == (1, 5, 4)


def test_maps_are_on_the_nodes() -> None:
    built = network(TINY)
    assert built["last"].maps["conv"].tolist() == [[i == j for j in range(4)] for i in range(4)]
    assert built["conv"].maps == {}


def test_epoch_size_is_read_only_where_it_is_used() -> None:
    config = "ConfigSection=c\n[c]\nSolvers.LearningRatePolicy=PolyDecay\nSolvers.MaxIterations=$([sp]_EpochSize * 2)\n"
    text = TINY.replace("NoBias=1\n", f"NoBias=1\n{config}")
    document = ini.loads(text, file="net.ini")
    calls: list[int] = []
    document.publish("sp", "_EpochSize", lambda: calls.append(1) or 60000)
    assert build(document, "n")["conv"].cell.weights_solver.max_iterations == 120000  # type: ignore[attr-defined]
    assert calls == [1]
    document = ini.loads(TINY, file="net.ini")
    document.publish("sp", "_EpochSize", lambda: pytest.fail("read"))
    build(document, "n")


# ---------------------------------------------------------------------------------------------- config, model


def test_config_section_of_the_model_replaces() -> None:
    text = TINY.replace(
        "NoBias=1\n",
        "ConfigSection=c\nConfigSection(Frame)=d\nConfigSection(Spike)=e\n[c]\nBackPropagate=0\n[d]\nNoBias=1\n",
    )
    conv = network(text)["conv"].cell
    assert (conv.no_bias, conv.back_propagate) == (True, True)  # type: ignore[attr-defined]


def test_config_section_of_the_better_fitting_model() -> None:
    text = TINY.replace(
        "NoBias=1\n", "ConfigSection(Frame)=c\nConfigSection(Frame_CUDA)=d\n[c]\nNoBias=1\n[d]\nNoBias=0\n"
    )
    assert network(text)["conv"].cell.no_bias  # type: ignore[attr-defined]
    assert not network("DefaultModel=Frame_CUDA\n" + text)["conv"].cell.no_bias  # type: ignore[attr-defined]


def test_config_sections_see_the_cell() -> None:
    text = TINY.replace("NoBias=1\n", "$X=3\nConfigSection=c\n[c]\nSolvers.LearningRate=${X}\n")
    assert network(text)["conv"].cell.weights_solver == SGD(learning_rate=3.0)  # type: ignore[attr-defined]


def test_missing_config_section() -> None:
    with pytest.raises(IniError) as error:
        network(TINY.replace("NoBias=1\n", "ConfigSection=commn.config\n") + "[common.config]\nNoBias=1\n")
    assert "there is no section [commn.config]" in str(error.value)
    assert "net.ini:13, [conv], ConfigSection" in str(error.value)
    assert "did you mean common.config?" in str(error.value)


def test_key_of_a_config_section_that_the_cell_does_not_have() -> None:
    text = TINY.replace("Mapping.Size=1\n", "Mapping.Size=1\nConfigSection=c\n[c]\nSolvers.LearningRate=1\n")
    with pytest.raises(ParameterError, match=r"unknown parameter Solvers.LearningRate"):
        network(text)


@pytest.mark.parametrize("model", ["Frame", "Frame_CUDA"])
def test_models(model: str) -> None:
    assert warnings(f"DefaultModel={model}\nDefaultDataType=Float32\n" + TINY) == []


def test_other_models_and_types() -> None:
    assert "n2d2py has no spiking cells" in warnings("DefaultModel=Transcode\n" + TINY)[0]
    assert "n2d2py computes in Float32" in warnings("DefaultDataType=Float16\n" + TINY)[0]
    with pytest.raises(ParameterError, match="unknown model 'Spike': n2d2py has no spiking cells"):
        network(TINY.replace("NoBias=1", "Model=Spike"))
    with pytest.raises(ParameterError, match="did you mean Frame_CUDA"):
        network("DefaultModel=Frame_CUDDA\n" + TINY)


def test_unknown_global_key() -> None:
    with pytest.raises(ParameterError) as error:
        network("DefaultModle=Frame\n" + TINY)
    assert "unknown parameter DefaultModle" in str(error.value)
    assert "did you mean DefaultModel?" in str(error.value)


def test_inserting_batchnorm_is_not_there_yet() -> None:
    with pytest.raises(ParameterError, match="InsertBatchNormAfterConv=1 is not there yet"):
        network("InsertBatchNormAfterConv=1\n" + TINY)


# -------------------------------------------------------------------------------------------------- mistakes


def test_unknown_parent() -> None:
    with pytest.raises(GraphError) as error:
        network(TINY.replace("Input=conv\n", "Input=conw\n"))
    assert "input 'conw' of cell last does not exist" in str(error.value)
    assert "net.ini:16, [last], Input" in str(error.value)
    assert "did you mean conv?" in str(error.value)


def test_parent_that_is_no_cell() -> None:
    with pytest.raises(GraphError, match=r"\[base\] is no cell because it has no Input"):
        network(TINY.replace("Input=conv\n", "Input=base\n") + "[base]\nType=Conv\n")


def test_empty_input() -> None:
    with pytest.raises(GraphError, match="cell last has no input"):
        network(TINY.replace("Input=conv\n", "Input=\n"))


def test_cycle_is_printed() -> None:
    with pytest.raises(GraphError) as error:
        network(TINY.replace("Input=sp\n", "Input=sp,out\n"))
    assert re.search(r"in a circle: (conv|last|out)( -> (conv|last|out)){3}\n", str(error.value))
    assert "change Input= of one of them" in str(error.value)


def test_cell_that_feeds_itself() -> None:
    with pytest.raises(GraphError, match="in a circle: conv -> conv"):
        network(TINY.replace("Input=sp\n", "Input=conv\n"))


def test_unknown_type() -> None:
    with pytest.raises(ParameterError) as error:
        network(TINY.replace("Type=Pool", "Type=Pol"))
    assert "unknown cell type 'Pol'" in str(error.value)
    assert "net.ini:17, [last], Type" in str(error.value)
    known = "Activation, BatchNorm, Conv, Dropout, Fc, Pool, Softmax"
    assert f"did you mean Pool? known: {known}" in str(error.value)


@pytest.mark.parametrize("later", ["ElemWise", "Resize", "LRN", "ONNX", "ObjectDet"])
def test_type_of_later_work(later: str) -> None:
    with pytest.raises(ParameterError, match=f"unknown cell type '{later}'(.|\n)*known: Activation, BatchNorm, Conv"):
        network(TINY.replace("Type=Pool", f"Type={later}"))


def test_missing_type() -> None:
    with pytest.raises(ParameterError) as error:
        network(TINY.replace("Type=Pool\n", ""))
    assert "cell section [last] has Input and no Type" in str(error.value)
    assert "net.ini:15, [last]" in str(error.value)


def test_missing_provider() -> None:
    with pytest.raises(GraphError, match=r"Missing \[sp\] section."):
        network(TINY.replace("[sp]", "[spx]"))


def test_no_cell() -> None:
    with pytest.raises(GraphError, match="has no cell"):
        network(HEAD)


def test_dimensions_that_do_not_fit() -> None:
    with pytest.raises(GraphError) as error:
        network(TINY.replace("KernelSize=3", "KernelSize=9"))
    assert "Conv cell conv: a window of 9 does not fit on an input of 8 along X" in str(error.value)
    assert "net.ini:8, [conv]" in str(error.value)


def test_unknown_key_is_an_error_where_n2d2_checks() -> None:
    with pytest.raises(ParameterError) as error:
        network(TINY.replace("NoBias=1", "NoBiass=1"))
    assert "unknown parameter NoBiass" in str(error.value)
    assert "did you mean NoBias?" in str(error.value)


@pytest.mark.parametrize("key", ["ActivationFunction=Linear", "Solvers=SGD", "QWeight=SAT"])
def test_unknown_key_is_a_warning_where_n2d2_does_not_see_it(key: str) -> None:
    text = TINY.replace("NoBias=1", f"NoBiass=1\n{key}")
    assert warnings(text) == ["unknown parameter NoBiass (did you mean NoBias?), at: net.ini:13, [conv], NoBiass"]


def test_unknown_key_of_another_cell_is_a_warning() -> None:
    text = TINY.replace("Stride=2", "Strid=2")
    assert warnings(text) == ["unknown parameter Strid (did you mean Stride?), at: net.ini:20, [last], Strid"]


def test_strict_documents_take_no_unknown_key() -> None:
    document = ini.loads(TINY.replace("Stride=2", "Strid=2"), file="net.ini", strict=True)
    with pytest.raises(ParameterError, match="unknown parameter Strid"):
        build(document, "net.ini")


def test_crops_are_refused() -> None:
    assert warnings(last("Type=Dropout\nInputOffsetX=0\n")) == []
    with pytest.raises(ParameterError, match="InputWidth cannot crop the input of a cell"):
        network(last("Type=Dropout\nInputWidth=4\n"))


def test_keys_of_older_n2d2_are_ignored_with_a_warning() -> None:
    found = warnings(last("Type=Activation\nActivationFunction=Rectifier\nActivationFunction.QuantizationLevels=255\n"))
    assert len(found) == 1
    assert "ActivationFunction.QuantizationLevels belongs to an older N2D2 and is ignored" in found[0]
    text = TINY.replace("NoBias=1\n", "ConfigSection=c\n[c]\nSolvers.QuantizationLevels=15\n")
    assert "Solvers.QuantizationLevels belongs to an older N2D2" in warnings(text)[0]


def test_quantizer_without_activation_is_that_of_a_linear_one() -> None:
    text = TINY.replace("NoBias=1\n", "NoBias=1\nQAct=SAT\nQAct.Range=15\n")
    assert network(text)["conv"].cell.activation == Linear()  # type: ignore[attr-defined]
    assert "QAct on cell conv without ActivationFunction" in warnings(text)[0]
    assert "net.ini:14, [conv], QAct" in warnings(text)[0]


def test_outputs_without_connection() -> None:
    text = TINY.replace("Mapping.Size=1\n", "Mapping.Size=1\nMapping.NbIterations=2\n")
    assert warnings(text)[0].startswith("outputs 2, 3 of cell last have no connection, at: net.ini:")


def test_building_needs_no_torch() -> None:
    code = (
        "import sys; from n2d2py import ini; from n2d2py.graph.build import build;"
        "from tests.graph.networks import TINY;"
        "build(ini.loads(TINY), 'n'); sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    )
    root = Path(__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("text", ["", "[sp]\n", "[sp]\nSizeX=8\n", "[a]\nInput=sp\n"])
def test_fragments_are_a_users_mistake(text: str) -> None:
    with pytest.raises(N2d2Error):
        network(text)
