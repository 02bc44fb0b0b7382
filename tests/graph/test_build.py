"""From INI to network: which sections are cells, in which order, and every mistake with its place and remedy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from n2d2py import console, ini
from n2d2py.cells.base import PROVIDER, Cost, Dims
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
    assert (built.stimuli, built.batch_size) == (Dims(32, 32, 1), 256)
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


def test_cenv_comes_before_env_and_sp() -> None:
    others = "[env]\nSizeX=16\nSizeY=16\nNbChannels=2\n[cenv]\nSizeX=12\nSizeY=12\nNbChannels=2\n"
    assert network(TINY + others).stimuli == Dims(12, 12, 2)


def test_env_comes_before_sp() -> None:
    assert network(TINY + "[env]\nSizeX=16\nSizeY=16\nNbChannels=2\n").stimuli == Dims(16, 16, 2)


def test_sizes_of_volumes() -> None:
    built = network("[sp]\nSizeX=8\nSizeY=6\nSizeD=4\nNbChannels=2\n[a]\nInput=sp\nType=Dropout\nNbOutputs=2\n")
    assert built.stimuli == Dims(8, 6, 2, 4)
    built = network("[sp]\nSize=8 6 4 2\n[a]\nInput=sp\nType=Dropout\nNbOutputs=2\n")
    assert built["a"].output == Dims(8, 6, 2, 4)


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
    assert built["last"].output == Dims(1, 5, 4)


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
    assert "model Transcode is computed as Frame" in warnings("DefaultModel=Transcode\n" + TINY)[0]
    assert "n2d2py computes in Float32" in warnings("DefaultDataType=Float16\n" + TINY)[0]
    assert "data type Float64" in warnings(TINY.replace("NoBias=1", "DataType=Float64"))[0]
    with pytest.raises(ParameterError, match="did you mean Frame_CUDA"):
        network("DefaultModel=Frame_CUDDA\n" + TINY)


def test_spiking_cells_are_drawn_with_a_warning() -> None:
    text = TINY.replace("NoBias=1", "Model=Spike_RRAM")
    assert "model Spike_RRAM can be drawn and checked, and cannot learn here" in warnings(text)[0]
    assert "net.ini:13, [conv], Model" in warnings(text)[0]
    built = network(text)
    assert [node.name for node in built.spiking] == ["conv"]
    assert network(TINY).spiking == []


def test_unknown_global_key() -> None:
    with pytest.raises(ParameterError) as error:
        network("DefaultModle=Frame\n" + TINY)
    assert "unknown parameter DefaultModle" in str(error.value)
    assert "did you mean DefaultModel?" in str(error.value)


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


def test_a_long_list_of_names_is_cut() -> None:
    many = "".join(f"[q{index}]\nInput=sp\nType=Dropout\nNbOutputs=2\n" for index in range(40))
    with pytest.raises(GraphError) as error:
        network(HEAD + many + "[end]\nInput=zzz\nType=Dropout\nNbOutputs=2\n")
    assert error.value.remedy is not None
    assert error.value.remedy.startswith("known: env, q0, q1")
    assert error.value.remedy.endswith("q15, ...")


def test_cell_that_feeds_itself() -> None:
    with pytest.raises(GraphError, match="in a circle: conv -> conv"):
        network(TINY.replace("Input=sp\n", "Input=conv\n"))


def test_unknown_type() -> None:
    with pytest.raises(ParameterError) as error:
        network(TINY.replace("Type=Pool", "Type=Pol"))
    assert "unknown cell type 'Pol'" in str(error.value)
    assert "net.ini:17, [last], Type" in str(error.value)
    assert re.search("did you mean Pool[?] known: Activation, .*BatchNorm, .*Softmax, .*ONNX", str(error.value))


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


def test_a_side_file_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conv.cfg").write_text("# by n2d2 -cfg\nNoBias = 0\nOutputsRemap = \nBackPropagate = 0 # frozen\n")
    (tmp_path / "other.cfg").write_text("whatever\n")
    with heard() as records:
        conv = network(TINY)["conv"].cell
    assert (conv.no_bias, conv.back_propagate) == (False, False)  # type: ignore[attr-defined]
    assert str(conv.place("no_bias")) == "conv.cfg:2, NoBias"
    said = [record.getMessage() for record in records if record.levelno == console.NOTICE]
    assert said == ["NoBias, OutputsRemap, BackPropagate of cell conv come from conv.cfg"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("NoBiass = 1", "unknown parameter NoBiass(.|\n)*conv.cfg:1(.|\n)*did you mean NoBias"),
        ("NoBias", "name = value"),
    ],
)
def test_a_side_file_with_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conv.cfg").write_text(line)
    with pytest.raises(ParameterError, match=text):
        network(TINY)


def test_broadcast_is_told() -> None:
    body = "[pooled]\nInput=sp\nType=Pool\nPooling=Average\nPoolSize=8\nMapping.Size=1\nNbOutputs=2\n"
    with heard() as records:
        built = network(HEAD + body + "[both]\nInput=sp,pooled\nType=Dropout\nNbOutputs=4\n")
    assert built["both"].output == Dims(8, 8, 4)
    said = [record.getMessage() for record in records if record.levelno == console.NOTICE]
    assert said == ["cell both: pooled of 1x1 is broadcast to the size of its other inputs"]


def test_crops_are_refused() -> None:
    assert warnings(last("Type=Dropout\nInputOffsetX=0\n")) == []
    for key in ("InputOffsetX", "InputOffsetY", "InputWidth", "InputHeight"):
        assert warnings(last(f"Type=Dropout\n{key}=0\n")) == []
        with pytest.raises(ParameterError, match=f"{key} cannot crop the input of a cell") as error:
            network(last(f"Type=Dropout\n{key}=4\n"))
        assert f"[last], {key}" in str(error.value)
        assert "write 0, or remove the key" in str(error.value)


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


def test_with_on_error_the_cells_behind_a_wrong_one_are_read_too():
    text = TINY.replace("KernelSize=3", "KernelSize=x").replace("Pooling=Max", "Pooling=Most").replace(
        "Type=Fc\nNbOutputs=3", "Type=Fc\nNbOutputs=[conv]_OutputsWidth"
    )  # fmt: skip
    told = []
    with pytest.raises(N2d2Error) as last:
        build(ini.loads(text, file="net.ini"), "net.ini", told.append)
    assert [error.place.section for error in (*told, last.value)] == ["conv", "last"]


def test_names_that_differ_in_case_alone_are_warned_of() -> None:
    text = TINY.replace("Input=last", "Input=Conv").replace("[last]", "[Conv]")
    assert warnings(text) == [
        "cells conv and Conv have the same name but for upper and lower case: where file names do not tell these "
        "apart, each overwrites the files of the other, at: net.ini:15, [Conv]"
    ]
    assert warnings(TINY) == []


@pytest.mark.parametrize("spelling", ["QWeightSolver", "QWeight.Solver"])
def test_the_solver_of_a_weight_quantizer(spelling: str) -> None:
    keys = f"QWeight=LSQ\n{spelling}=adam\n{spelling}.LearningRate=0.5\n"
    solver = network(TINY.replace("KernelSize=3\n", f"KernelSize=3\n{keys}"))["conv"].cell.weights_quantizer_solver
    assert (type(solver).__name__, solver.learning_rate) == ("Adam", 0.5)


def test_values_with_a_spread_belong_to_spiking_cells() -> None:
    text = "DefaultModel=Transcode\n" + TINY.replace("NoBias=1", "ConfigSection=c.config")
    text += '[c.config]\nThreshold="1.0; 10%"\nWeightsInit="0.8; 0.2"\n'
    with heard() as records:
        built = network(text)
    assert len(built) == 3
    said = [record.getMessage() for record in records]
    assert "Threshold, WeightsInit in section [c.config]: only for spiking cells, ignored" in said


def test_a_chain_of_cells_that_each_refer_to_the_one_before() -> None:
    cells = "".join(
        f"[c{i}]\nInput={f'c{i - 1}' if i else 'sp'}\nType=Dropout\nNbOutputs={f'[c{i - 1}]NbOutputs' if i else 2}\n"
        for i in range(1500)
    )
    built = network(HEAD + cells + "[c1499.Target]\n")
    assert built["c1499"].output == Dims(8, 8, 2)
