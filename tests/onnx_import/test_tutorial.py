"""The ResNet-18 tutorial: both of its INI files import, and every override is on its cell."""

from __future__ import annotations

import re
import runpy
import textwrap
from pathlib import Path

import onnx
import pytest

from n2d2py import console, ini
from n2d2py.cells.base import ActivatedCell
from n2d2py.cells.conv import Conv
from n2d2py.cells.fc import Fc
from n2d2py.graph.build import build, report_unused
from n2d2py.graph.dump import dump
from n2d2py.graph.network import Network
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.quantizers import SatActivations, SatWeights
from tests.graph.networks import heard
from tests.onnx_import.tutorial import ACTIVATIONS, clamp_ini, quantized_ini

_SCRIPT = Path(__file__).parents[2] / "examples" / "make_resnet18_onnx.py"
_SEED = Path(__file__).parents[3] / "shared" / "seeds" / "004_4d2ca8d06a5b1ad0.txt"
SIZE, WIDTH, OUTPUTS = 32, 4, 10

# Each activation node and the cell that computes its input.
PRODUCERS = {
    "resnetv15_relu0_fwd": "resnetv15_batchnorm0_fwd",
    **{
        f"resnetv15_stage{stage}_{relu}": f"resnetv15_stage{stage}_{cell}"
        for stage in range(1, 5)
        for relu, cell in {
            "relu0_fwd": "batchnorm0_fwd",
            "activation0": "_plus0",
            "relu1_fwd": "batchnorm2_fwd" if stage == 1 else "batchnorm3_fwd",
            "activation1": "_plus1",
        }.items()
    },
}


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("resnet18") / "resnet18v1.onnx"
    onnx.save(runpy.run_path(str(_SCRIPT))["resnet18"](SIZE, WIDTH, OUTPUTS), file)
    return str(file)


def built(text: str) -> tuple[Network, list[str]]:
    """The network of an INI file, and the warnings and notices of building it."""
    document = ini.loads(text, file="resnet18-v1.ini")
    with heard() as records:
        network = build(document, "resnet18-v1.ini")
        report_unused(document)
    said = [record.getMessage() for record in records]
    return network, [text for text, record in zip(said, records, strict=True) if record.levelno >= console.NOTICE]


def test_the_names_of_the_tutorial_are_those_of_the_script() -> None:
    if not _SEED.exists():
        pytest.skip("the document of the tutorial is not here")
    text = _SEED.read_text()
    assert all(f"[{name}]ReluQ_def" in text for name in ACTIVATIONS)
    assert text.count("]ReluQ_def\n") == len(ACTIVATIONS) == 17


def test_clamped_weights_of_the_first_stage(resnet18: str) -> None:
    network, said = built(clamp_ini(resnet18, SIZE, OUTPUTS))
    assert not said
    weighted = [node.cell for node in network if isinstance(node.cell, Conv | Fc)]
    assert len(weighted) == 21
    for cell in weighted:
        assert isinstance(cell.weights_quantizer, SatWeights)
        assert not cell.weights_quantizer.apply_quantization
        assert cell.weights_quantizer.apply_scaling is isinstance(cell, Fc)
        assert cell.no_bias is isinstance(cell, Conv)
        assert cell.weights_solver.iteration_size == 2  # type: ignore[attr-defined]
    for producer in PRODUCERS.values():
        assert network[producer].cell.activation == Rectifier()  # type: ignore[attr-defined]
    assert network.initial == {}, "ONNX_init=0"


def test_every_override_of_the_second_stage_is_on_its_cell(resnet18: str) -> None:
    network, said = built(quantized_ini(resnet18, SIZE, OUTPUTS))
    assert not said
    assert sorted(PRODUCERS) == sorted(ACTIVATIONS)
    quantized = {
        node.name
        for node in network
        if isinstance(node.cell, ActivatedCell) and node.cell.activation_quantizer is not None
    }
    assert quantized == set(PRODUCERS.values())
    for producer in quantized:
        cell = network[producer].cell
        assert isinstance(cell, ActivatedCell)
        assert cell.activation == Linear()
        assert cell.activation_quantizer == SatActivations(range=15)
        assert cell.activation_quantizer_solver.max_iterations == 192175050  # type: ignore[attr-defined]
    ranges = {
        node.name: node.cell.weights_quantizer.range  # type: ignore[union-attr]
        for node in network
        if isinstance(node.cell, Conv | Fc)
    }
    eight_bits = {"resnetv15_conv0_fwd", "resnetv15_dense0_fwd"}
    assert {name for name, steps in ranges.items() if steps == 255} == eight_bits
    assert {steps for name, steps in ranges.items() if name not in eight_bits} == {15}
    assert [node.name for node in network][-2:] == ["resnetv15_dense0_fwd", "soft1"]


def test_the_text_dump_shows_the_overrides(resnet18: str) -> None:
    text = dump(built(quantized_ini(resnet18, SIZE, OUTPUTS))[0])
    assert text.count("QAct=SAT: Range=15") == 17
    assert text.count("QWeight=SAT: Range=15") == 19
    blocks = text.split("\nresnetv15_")
    first = next(block for block in blocks if block.startswith("conv0_fwd"))
    assert "QWeight=SAT" in first
    assert "Range=15" not in first.split("QAct")[0]


def printed() -> tuple[str, list[str]]:
    """The first INI file as the document has it, and the blocks that the second stage adds or changes."""
    if not _SEED.exists():
        pytest.skip("the document of the tutorial is not here")
    text = _SEED.read_text()
    start = text.index("ONNX model : ResNet-18 Example - INI File")
    part = text[start : text.index("ONNX model : ResNet-18 Example - Python")]
    found = re.findall(r"\.\. code-block:: ini\n\n((?:(?:[ ]{2}.*)?\n)+)", part)
    blocks = [textwrap.dedent(block) for block in found]
    first = next(index for index, block in enumerate(blocks) if "[ReluQ_def]" in block)
    return "\n".join(blocks[:first]), blocks[first:]


def test_both_files_as_they_are_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = printed()
    monkeypatch.chdir(tmp_path)
    onnx.save(runpy.run_path(str(_SCRIPT))["resnet18"](width=4), "resnet18v1.onnx")
    clamped, said = built(first)
    assert not said
    assert dump(clamped).count("QWeight=SAT: ApplyQuantization=0") == 21
    changed, added = [block for block in later if "..." in block], [block for block in later if "..." not in block]
    assert len(changed) == 2
    assert len(added) == 4
    second = first.replace("QWeight.ApplyQuantization=0", "QWeight.Range=15\nQWeight.ApplyQuantization=1")
    quantized, said = built(second.replace("[onnx]\n", "\n".join(added) + "\n[onnx]\n"))
    assert not said
    text = dump(quantized)
    assert text.count("QAct=SAT: Range=15") == 17
    assert text.count("QWeight=SAT: Range=15") == 19
    assert text.count("QWeight=SAT") == 21


def test_values_are_loaded_unless_the_section_says_no(resnet18: str) -> None:
    network, _ = built(clamp_ini(resnet18, SIZE, OUTPUTS, init=1))
    stored = {item.name: item for item in onnx.load(resnet18).graph.initializer}
    weights = network.initial["resnetv15_conv0_fwd"]["weights"]
    assert (weights == onnx.numpy_helper.to_array(stored["resnetv15_conv0_weight"])).all()
    assert set(network.initial["resnetv15_batchnorm0_fwd"]) == {"scales", "biases", "means", "variances"}


def test_the_script_writes_the_file_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.onnx"
    runpy.run_path(str(_SCRIPT))["main"]([str(file), "--size", "32", "--width", "2", "--outputs", "5"])
    assert "width 2, 5 classes" in capsys.readouterr().out
    assert len(onnx.load(file).graph.node) == 69
