"""BatchNorm cells that a Conv or Fc can absorb, and those that it cannot."""

from __future__ import annotations

import pytest

from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.graph.fusing import without_batchnorm
from n2d2py.graph.lint import lint
from n2d2py.parts.activations import Rectifier

from .networks import HEAD, network

CONV = "[conv]\nInput=sp\nType=Conv\nKernelSize=3\nNbOutputs=4\nNoBias=1\n"
NORM = "[bn]\nInput=conv\nType=BatchNorm\nNbOutputs=4\nActivationFunction=Rectifier\n"
FC = "[fc]\nInput={0}\nType=Fc\nNbOutputs=3\n[fc.Target]\n"


def test_the_host_takes_bias_and_activation_and_the_children() -> None:
    fused, absorbed = without_batchnorm(network(HEAD + CONV + NORM + FC.format("bn")))
    assert absorbed == {"bn": "conv"}
    assert [node.name for node in fused] == ["conv", "fc"]
    assert not fused["conv"].cell.no_bias
    assert fused["conv"].cell.activation == Rectifier()
    assert fused["fc"].parents == ("conv",)
    assert fused["fc"].inputs == (fused["conv"].output,)
    lint(fused)


def test_an_fc_is_a_host_too() -> None:
    text = HEAD + "[fc]\nInput=sp\nType=Fc\nNbOutputs=3\nNormalize=1\n[bn]\nInput=fc\nType=BatchNorm\nNbOutputs=3\n"
    fused, absorbed = without_batchnorm(network(text))
    assert absorbed == {"bn": "fc"}
    assert not fused["fc"].cell.normalize  # its weights are no longer of norm 1


def test_clamped_weights_are_no_longer_clamped() -> None:
    clamp = "QWeight=SAT\nQWeight.ApplyQuantization=0\n"
    fused, _ = without_batchnorm(network(HEAD + CONV + clamp + NORM + FC.format("bn")))
    assert fused["conv"].cell.weights_quantizer is None


def test_a_target_goes_with_its_cell() -> None:
    fused, _ = without_batchnorm(network(HEAD + CONV + NORM + "[bn.Target]\n"))
    assert [target.cell for target in fused.targets] == ["conv"]
    assert [target.name for target in fused.targets] == ["bn.Target"]  # the folder of its results


def test_maps_are_those_of_the_new_parent() -> None:
    pool = "[pool]\nInput=bn\nType=Pool\nPoolSize=2\nStride=2\nPooling=Max\nNbOutputs=4\nMapping.Size=1\n"
    before = network(HEAD + CONV + NORM + pool + FC.format("pool"))
    fused, _ = without_batchnorm(before)
    assert set(fused["pool"].maps) == {"conv"}
    assert (fused["pool"].maps["conv"] == before["pool"].maps["bn"]).all()


@pytest.mark.parametrize(
    "text",
    [
        CONV + "ActivationFunction=Rectifier\n" + NORM + FC.format("bn"),
        CONV + NORM + FC.format("bn,conv"),
        CONV + "[conv.Target]\n" + NORM + FC.format("bn"),
        CONV + NORM.replace("Rectifier", "Linear\nQAct=SAT") + FC.format("bn"),
        NORM.replace("Input=conv", "Input=sp").replace("NbOutputs=4", "NbOutputs=2") + FC.format("bn"),
    ],
    ids=["host not linear", "host feeds another", "host is a target", "quantized", "no host"],
)
def test_what_cannot_be_absorbed_stays(text: str) -> None:
    before = network(HEAD + text)
    fused, absorbed = without_batchnorm(before)
    assert absorbed == {}
    assert fused == before
    assert isinstance(fused["bn"].cell, BatchNorm)
