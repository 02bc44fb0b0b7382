"""The float network that is calibrated computes what the learned one does, and is another one."""

from __future__ import annotations

import pytest
import torch

from calibration.networks import CHAIN, HEAD, RESIDUAL, conv, fc, learned
from n2d2py.calibration.preparation import prepared
from n2d2py.errors import IntegerError
from n2d2py.quant.grid import Coded


@pytest.mark.parametrize("text", [CHAIN, RESIDUAL, HEAD.format(channels=3) + fc("fc", "env", 3) + "Normalize=1\n"])
def test_it_computes_the_same(text):
    network = learned(text)
    plain = prepared(network)
    assert not [node.name for node in plain.network if node.cell.type_name == "BatchNorm"]
    last = network.network.nodes[-1].name
    images = torch.rand(4, 3, 8, 8)
    expected, found = (made.evaluate(Coded(images), [last])[last].real() for made in (network, plain))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_learned_network_stays_as_it_is():
    network = learned(CHAIN)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plain = prepared(network)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.zero_()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("more", ["QWeight=SAT\n", "ActivationFunction=Linear\nQAct=SAT\n"])
def test_a_network_that_is_quantized_already_is_refused(more):
    network = learned(HEAD.format(channels=3) + conv("conv1", "env", 4, more=more))
    with pytest.raises(IntegerError) as caught:
        prepared(network)
    assert "Conv cell conv1 has one" in str(caught.value)
    assert "net.ini" in str(caught.value)
    assert "-qat-sat" in str(caught.value)
