"""The pass that gives quantizers, on the text of the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.cells.recurrent import ROLES
from n2d2py.errors import GraphError, ParameterError, UsageError
from n2d2py.graph.build import build
from n2d2py.graph.dump import dump
from n2d2py.graph.network import Network
from n2d2py.graph.quantizing import quantized
from n2d2py.parts.fixed_point import FixedPointActivations
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.prune import PrunedWeights
from n2d2py.parts.quantizers import SatActivations, SatWeights

TEXT = """
[sp]
SizeX=8
SizeY=8
NbChannels=2
BatchSize=4
[conv1]
Input=sp
Type=Conv
NbOutputs=4
KernelSize=3
NoBias=1
[bn1]
Input=conv1
Type=BatchNorm
NbOutputs=4
ActivationFunction=Rectifier
[fc1]
Input=bn1
Type=Fc
NbOutputs=3
ActivationFunction=Linear
[fc1.Target]
"""

GOLDEN = """\
network net.ini, batches of 4
env                 2x8x8
conv1 = Conv(env)   4x6x6
    NoBias=1; KernelDims=3 3
    QWeight=SAT: Range=15
bn1 = BatchNorm(conv1) 4x6x6
    ActivationFunction=Linear
    QAct=SAT: Range=7
fc1 = Fc(bn1)       3x1x1
    ActivationFunction=Linear
    QWeight=SAT: Range=15, ApplyScaling=1
fc1.Target = TargetScore(fc1)
"""


def network() -> Network:
    return build(ini.loads(TEXT, file="net.ini"), "net.ini")


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_numbers_are_ranges_of_sat() -> None:
    before = network()
    text = dump(before)
    result = quantized(before, weights=15, activations=7)
    assert words(dump(result)) == words(GOLDEN)
    assert dump(before) == text, "the pass changes nothing"


def test_records_go_to_what_matches() -> None:
    result = quantized(network(), "*1", SatWeights(range=3), SatActivations(range=31, alpha=4.0))
    assert dump(result).count("QWeight=SAT: Range=3") == 2
    assert dump(result).count("QAct=SAT: Range=31, Alpha=4") == 1
    again = quantized(result, "fc?", weights=255)
    assert dump(again).count("QWeight=SAT: Range=3") == 1
    assert "Range=31" in dump(again)


def test_what_takes_no_quantizer_is_an_error() -> None:
    with pytest.raises(GraphError, match="'conv1' takes a quantizer of activations"):
        quantized(network(), "conv1", activations=15)
    with pytest.raises(GraphError, match=r"no cell is called 'pool\*'"):
        quantized(network(), "pool*", weights=15)


MEMORY = """
[sp]
Size=2 4 3
BatchSize=4
[c]
Type={kind}
Input=sp
SeqLength=4
BatchSize=4
InputDim=6
NumberLayers=1
HiddenSize=3
[fc]
Type=Fc
Input=c
NbOutputs=2
[fc.Target]
"""


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("given", [LsqActivations(range=63), FixedPointActivations(range=63)])
def test_every_tensor_of_a_cell_with_a_memory(kind: str, given: LsqActivations | FixedPointActivations) -> None:
    net = build(ini.loads(MEMORY.format(kind=kind), file="net.ini"), "net.ini")
    cell = quantized(net, "c", LsqWeights(range=15), given)["c"].cell
    assert cell.weights_quantizer == LsqWeights(range=15)
    assert set(cell.quantizers) == set(ROLES)
    assert cell.quantizers["sigmoid"] == given
    signed = {role for role, one in cell.quantizers.items() if one == replace(given, signed=True)}
    assert signed == {*ROLES} - {"sigmoid"}
    with pytest.raises(GraphError, match="'c' takes a quantizer of activations"):
        quantized(net, "c", activations=15)


@pytest.mark.parametrize("given", [0, -1, 1.5, float("nan"), "LSQ", True, 1 << 24, LsqActivations(range=15)])
def test_what_is_no_quantizer_of_weights(given):
    with pytest.raises(UsageError, match="is no quantizer of weights"):
        quantized(network(), "conv1", weights=given)


def test_nothing_to_give_and_quantizers_in_the_wrong_place():
    with pytest.raises(UsageError, match="no quantizer is given"):
        quantized(network(), "*")
    with pytest.raises(UsageError, match="is no quantizer of activations"):
        quantized(network(), "bn1", activations=LsqWeights(range=15))


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (LsqWeights(range=0), "Range=0"),
        (LsqWeights(levels=(0.5, 1)), "Levels="),
        (LsqWeights(step_size=float("nan")), "StepSize=nan"),
        (LsqWeights(mode="symmetric"), "QuantMode='symmetric'"),
        (PrunedWeights(threshold=5.0), "Threshold=5.0"),
        (PrunedWeights(quantizer=LsqWeights(range=-3)), "Range=-3"),
    ],
)
def test_values_of_records_are_those_that_a_file_could_give(record, key):
    with pytest.raises(ParameterError, match=f"^{key}"):
        quantized(network(), "conv1", weights=record)


def test_numbers_of_numpy_are_numbers():
    assert quantized(network(), "conv1", np.int64(15)).nodes == quantized(network(), "conv1", 15).nodes
