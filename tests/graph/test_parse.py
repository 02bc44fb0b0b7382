"""The text form of a network read again: the same network, the same text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py import ini
from n2d2py.errors import GraphError, N2d2Error
from n2d2py.graph.build import build
from n2d2py.graph.dump import dump
from n2d2py.graph.network import Network
from n2d2py.graph.notation import name_text, read_rows, rows_text, split, unquoted, value_text
from n2d2py.graph.parse import parse

from .networks import HEAD, TINY, network
from .test_sharing import TWINS

TESTS = Path(__file__).parent.parent

RESIDUAL = HEAD + (
    "[a]\nInput=sp\nType=Conv\nKernelSize=3\nPadding=1\nNbOutputs=4\nActivationFunction=Rectifier\n"
    "[b]\nInput=a\nType=Conv\nKernelSize=3\nPadding=1\nNbOutputs=4\nMapping.ChannelsPerGroup=1\n"
    "[sum]\nInput=a,b\nType=ElemWise\nOperation=Sum\nNbOutputs=4\nWeights=0.1 -2\nActivationFunction=Rectifier\n"
    "ActivationFunction.Clipping=6\n[fc]\nInput=sum\nType=Fc\nNbOutputs=3\n[fc.Target]\n"
)
MAPPED = HEAD + (
    "[given]\nInput=sp\nType=Conv\nKernelDims=1 3\nPaddingDims=0 1\nNbOutputs=3\nMapping(sp)=1 0 1 0 1 1\n"
    "Kernel[0][0]=1 2 -1\nKernel[0][0].Normalize=1\n"
    "[pattern]\nInput=given,sp\nType=Conv\nKernelSize=1\nNbOutputs=4\nMapping.Size=2\nMapping(sp).SizeY=0\n"
    "Mapping.StrideX=2\nMapping.NbIterations=2\n"
)
TARGETS = HEAD + (
    '[fc]\nInput=sp\nType=Fc\nNbOutputs=3\n[fc.Target]\nTopN=2\nLabelsMapping="a; b, c.txt"\n'
    "[fc.Target mask]\nType=TargetROIs\nROIsLabelTarget=fc.Target\nMinOverlap=0.25\n"
    "[fc.Target: 3]\nType=Target\nMaskLabelTarget=fc.Target\nMaskedLabel=1\n"
)

CASES = {"tiny": TINY, "residual": RESIDUAL, "mapped": MAPPED, "targets": TARGETS, "shared": TWINS}


def same(built: Network, again: Network) -> None:
    assert again == built
    assert dump(again) == dump(built)
    for node, other in zip(built, again, strict=True):
        assert node.maps.keys() == other.maps.keys()
        assert all(np.array_equal(node.maps[parent], other.maps[parent]) for parent in node.maps)


@pytest.mark.parametrize("name", ["LeNet_clamp", "branches"])
def test_files(name: str) -> None:
    same(build(ini.load(TESTS / "data" / f"{name}.ini"), f"{name}.ini"), parse(dump_of(name)))


def dump_of(name: str) -> str:
    return (TESTS / "golden" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name: str) -> None:
    built = network(CASES[name])
    same(built, parse(dump(built)))


def test_golden_of_maps_and_targets() -> None:
    lines = dump(network(MAPPED)).splitlines()
    assert "    map of env: rows 0 2 | 1-2 (4 of 6 pairs)" in lines
    assert "    KernelDims=1 3; PaddingDims=0 1; Kernel[0][0]=1 2 -1; Kernel[0][0].Normalize=1" in lines
    lines = dump(network(TARGETS)).splitlines()
    assert 'fc.Target = TargetScore(fc): TopN=2, LabelsMapping="a; b, c.txt"' in lines
    assert '"fc.Target mask" = TargetROIs(fc): ROIsLabelTarget=fc.Target, MinOverlap=0.25' in lines


def test_the_model_of_a_spiking_cell_is_in_it() -> None:
    built = network(TINY.replace("NoBias=1", "Model=Spike"))
    assert "    model Spike" in dump(built).splitlines()
    same(built, parse(dump(built)))


def test_volumes_and_outputs_that_are_no_channels() -> None:
    built = network("[sp]\nSize=8 6 4 2\nBatchSize=3\n[a]\nInput=sp\nType=Dropout\nNbOutputs=2\n")
    assert "a = Dropout(env) 2x4x6x8" in dump(built)
    same(built, parse(dump(built)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the text is no network"),
        ("network a\n", "unreadable line of a network(.|\n)*net.txt:1"),
        ("network a, batches of 2\nenv 2x8\n", "unreadable line"),
        ("network a, batches of 2\nenv 2x8x8\n    NoBias=1\n", "there is no cell to which it belongs"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(g) 3x1x1\n", "its input g does not come before it"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fcc(env) 3x1x1\n", "unknown cell 'Fcc'(.|\n)*did you mean Fc"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x2x1\n", "is said to give 1 2 3, and gives 1 1 3"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x1x1\n    NoBiass=1\n", "NoBiass is not known there"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x1x1\n    NoBias\n", "'NoBias' has no ="),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x1x1\nt = TargetScore(g)\n", "belongs to cell g"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x1x1\nt = TargetScore(f) TopN=2\n", "behind a colon"),
        ("network a, batches of 2\nenv 2x8x8\nf = Fc(env) 3x1x1\nt = TargetScore(f): Top=2\n", "Top is not known"),
    ],
)
def test_what_is_no_network(text: str, words: str) -> None:
    with pytest.raises(N2d2Error, match=words):
        parse(text, "net.txt")


@pytest.mark.parametrize("form", ["rows 0-4 | 1", "Sze=1 1", "Size=1", "rows x | 1"])
def test_what_is_no_map(form: str) -> None:
    text = dump(network(TINY)).replace("Size=1 1", form)
    with pytest.raises(GraphError):
        parse(text)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_names_and_values_survive(texts: list[str]) -> None:
    assert [unquoted(item) for item in split(", ".join(map(name_text, texts)), ", ")] == texts
    assert [unquoted(item) for item in split("; ".join(map(value_text, texts)), "; ")] == texts


@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_maps_survive(channels: int, outputs: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.booleans(), min_size=channels * outputs, max_size=channels * outputs))
    matrix = np.array(values, bool).reshape(channels, outputs)
    assert read_rows(rows_text(matrix), outputs) == tuple(values)


@given(st.text(alphabet='\n\t "=(),;|abcConvFcenv1x:.\\', max_size=200))
def test_any_text_is_a_network_or_an_error(text: str) -> None:
    try:
        parse("network n, batches of 1\nenv 1x4x4\n" + text)
    except N2d2Error:
        return
