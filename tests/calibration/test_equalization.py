"""Cross-layer equalization: the same function, ranges that are nearer to each other, and only where it is exact."""

from __future__ import annotations

import pytest
import torch

from calibration.networks import CHAIN, HEAD, LINEAR, RECTIFIER, RESIDUAL, conv, fc, learned, norm, pool
from n2d2py.calibration.equalization import equalize, pairs
from n2d2py.calibration.preparation import prepared
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded

INPUT = HEAD.format(channels=3)


def made(text: str, seed: int = 0) -> TorchNetwork:
    return prepared(learned(text, seed))


def outputs(network: TorchNetwork) -> dict[str, torch.Tensor]:
    images = torch.rand(4, *network.network.stimuli.shape, generator=torch.Generator().manual_seed(5))
    return {name: found.real() for name, found in network.evaluate(Coded(images)).items()}


def ranges(network: TorchNetwork, cell: str) -> torch.Tensor:
    """The ranges of the outputs of a cell."""
    return network.layers[cell].weights.detach().abs().flatten(1).amax(1)


def column_ranges(network: TorchNetwork, cell: str) -> torch.Tensor:
    """The ranges of the inputs of a Conv without groups."""
    return network.layers[cell].weights.detach().abs().amax((0, 2, 3))


@pytest.mark.parametrize("text", [CHAIN, RESIDUAL])
@pytest.mark.parametrize("seed", range(3))
def test_the_network_computes_the_same(text, seed):
    network = made(text, seed)
    last = network.network.nodes[-1].name
    before = outputs(network)[last]
    done = equalize(network)
    assert done.pairs
    torch.testing.assert_close(outputs(network)[last], before, rtol=1e-4, atol=1e-5)


def test_the_chain_of_a_mobile_network_is_equalized_through_its_pools():
    assert pairs(made(CHAIN)) == [("conv1", "dw2"), ("dw2", "pw2"), ("pw2", "fc1"), ("fc1", "fc2")]


def test_branches_are_left():
    assert pairs(made(RESIDUAL)) == [("joined", "fc")]


def test_the_ranges_of_two_convolutions_become_equal():
    text = INPUT + conv("a", "env", 6, more=RECTIFIER) + conv("b", "a", 5, more=RECTIFIER)
    network = made(text)
    with torch.no_grad():
        network.layers["a"].weights.mul_(torch.logspace(-2, 1, 6).view(-1, 1, 1, 1))
    rows, columns = ranges(network, "a"), column_ranges(network, "b")
    before = outputs(network)["b"]
    done = equalize(network)
    torch.testing.assert_close(ranges(network, "a"), (rows * columns).sqrt())  # equation 12
    torch.testing.assert_close(ranges(network, "a"), column_ranges(network, "b"), rtol=1e-3, atol=0)
    torch.testing.assert_close(outputs(network)["b"], before, rtol=1e-4, atol=1e-5)
    assert done.after < done.before / 10


def test_the_spread_shrinks_in_a_chain_with_very_different_channels():
    network = made(CHAIN)
    with torch.no_grad():
        network.layers["dw2"].weights.mul_(torch.logspace(-2, 1, 6).view(-1, 1, 1, 1))
    done = equalize(network)
    assert done.after < done.before / 3


def test_a_dead_channel_is_left_as_it_is():
    network = made(INPUT + conv("a", "env", 4, more=RECTIFIER) + conv("b", "a", 3))
    with torch.no_grad():
        network.layers["a"].weights[1] = 0.0
        network.layers["a"].biases[1] = 2.0
        network.layers["b"].weights[:, 2] = 0.0
    before = outputs(network)["b"]
    kept = network.layers["a"].weights[2].clone()
    equalize(network)
    assert network.layers["a"].biases[1] == 2.0
    assert torch.equal(network.layers["a"].weights[2], kept)
    torch.testing.assert_close(outputs(network)["b"], before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("between", "source"),
    [
        (conv("a", "env", 4, more="ActivationFunction=Tanh\n"), "a"),
        (conv("a", "env", 4, more="ActivationFunction=Rectifier\nActivationFunction.Clipping=6\n"), "a"),
        (conv("a", "env", 4, more="ActivationFunction=Linear\nActivationFunction.Clipping=1\n"), "a"),
        (conv("a", "env", 4, more=RECTIFIER) + "[a.Target]\n", "a"),
        (conv("a", "env", 4, more=RECTIFIER) + norm("n", "a", 4), "n"),
        (conv("a", "env", 4, more=RECTIFIER) + pool("p", "a", 4).replace("Mapping.Size=1\n", ""), "p"),
        (conv("a", "env", 4, more=RECTIFIER) + "[l]\nInput=a\nType=LRN\nNbOutputs=4\n", "l"),
    ],
    ids=["Tanh", "clipped", "clamped", "target", "BatchNorm", "pool over channels", "LRN"],
)
def test_what_lets_no_factor_through_is_left(between, source):
    assert pairs(made(INPUT + between + conv("b", source, 3))) == []


@pytest.mark.parametrize(
    ("between", "source"),
    [
        (conv("a", "env", 4, more=LINEAR), "a"),
        (conv("a", "env", 4, more="ActivationFunction=Rectifier\nActivationFunction.LeakSlope=0.1\n"), "a"),
        (conv("a", "env", 4, more=RECTIFIER) + "[d]\nInput=a\nType=Dropout\nNbOutputs=4\n", "d"),
        (
            conv("a", "env", 4, more=RECTIFIER)
            + "[d]\nInput=a\nType=Padding\nNbOutputs=4\nTopPadding=1\nBottomPadding=1\nLeftPadding=2\nRightPadding=0\n",
            "d",
        ),
        (conv("a", "env", 4, more=RECTIFIER) + pool("p", "a", 4, "Average"), "p"),
    ],
    ids=["linear", "leaky", "Dropout", "Padding", "average"],
)
def test_what_lets_factors_through_keeps_the_function(between, source):
    network = made(INPUT + between + conv("b", source, 3) + fc("last", "b", 2))
    before = outputs(network)["last"]
    assert equalize(network).pairs == (("a", "b"), ("b", "last"))
    torch.testing.assert_close(outputs(network)["last"], before, rtol=1e-4, atol=1e-5)


def test_a_map_that_is_no_set_of_groups_stays_a_map():
    more = RECTIFIER + "Mapping.SizeX=1\nMapping.SizeY=2\n"
    network = made(INPUT + conv("a", "env", 4, more=RECTIFIER) + conv("b", "a", 4, more=more) + fc("last", "b", 2))
    before = outputs(network)["last"]
    assert ("a", "b") in equalize(network).pairs
    torch.testing.assert_close(outputs(network)["last"], before, rtol=1e-4, atol=1e-5)
