"""PowerOfTwo=1 for every quantizer."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.parts import apot, binary, dorefa, lsq, quantizers
from n2d2py.quant import activations, weights
from n2d2py.quant.power import next_power

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])
WEIGHTS = [
    quantizers.SatWeights(range=15, power_of_two=True),
    quantizers.SatWeights(range=15, power_of_two=True, apply_scaling=True),
    quantizers.SatWeights(range=15, power_of_two=True, mode="Symmetric"),
    quantizers.SatWeights(range=15, power_of_two=True, mode="Integer", apply_scaling=True),
    lsq.LsqWeights(range=15, power_of_two=True),
    apot.ApotWeights(range=15, power_of_two=True),
    binary.BinaryWeights(power_of_two=True),
    binary.TernaryWeights(power_of_two=True),
    binary.TernaryWeights(power_of_two=True, scale="Learned"),
    dorefa.DoReFaWeights(range=15, power_of_two=True),
    dorefa.DoReFaWeights(range=1, power_of_two=True),
]
ACTIVATIONS = [
    quantizers.SatActivations(range=15, power_of_two=True, alpha=0.7),
    dorefa.PactActivations(range=15, power_of_two=True, alpha=0.7),
    dorefa.DoReFaActivations(range=15, power_of_two=True),
    lsq.LsqActivations(range=15, power_of_two=True),
    lsq.LsqActivations(range=15, power_of_two=True, offset=True),
    apot.ApotActivations(range=15, power_of_two=True),
    binary.BinaryActivations(power_of_two=True, scale_value=0.3),
    binary.TernaryActivations(power_of_two=True, scale_value=0.3),
]


@given(st.floats(2.0**-90, 2.0**90, width=32))
def test_the_next_power(value):
    power = next_power(torch.tensor(value)).item()
    assert power == quantizers.power_above(value) == 2.0 ** math.ceil(math.log2(value))


def test_its_gradient_is_straight_through_the_ceiling():
    step = torch.tensor([0.3, 0.5], requires_grad=True)
    next_power(step).backward(torch.tensor([1.0, 10.0]))
    assert step.grad.tolist() == pytest.approx([0.5 / 0.3, 10.0])


@pytest.mark.parametrize("record", WEIGHTS)
def test_weights(record):
    module = weights.make(record, (5,))
    out, (codes, grid) = module(W).detach(), module.codes(W)
    assert math.frexp(grid.scale)[0] == 0.5
    assert torch.equal(out, codes * grid.scale)
    if module.separate:
        split, scale = module.split(W)
        assert torch.equal(split * scale, out)


@pytest.mark.parametrize("record", ACTIVATIONS)
def test_activations(record):
    module = activations.make(record)
    y, scaled, grid = module(W), module.split(W), module.grid()
    assert math.frexp(grid.scale)[0] == 0.5
    assert float(scaled.scale) == grid.scale
    assert torch.equal(scaled.values * grid.scale, y)
    assert torch.equal(module.codes(W.double()).float(), scaled.values)  # a power of two divides exactly


def test_the_gradient_of_sat_weights_grows_as_their_scale():
    def gradient(power):
        w = W.clone().requires_grad_()
        weights.make(quantizers.SatWeights(range=15, power_of_two=power), (5,))(w).sum().backward()
        return w.grad

    assert torch.allclose(gradient(True), gradient(False) * (15 / 8))  # 1/15 becomes 1/8


def test_the_gradient_of_alpha_goes_straight_through_the_ceiling():
    module = activations.make(quantizers.SatActivations(range=15, power_of_two=True, alpha=0.7))
    module(torch.tensor([9.0])).sum().backward()
    assert module.grid().scale == 1 / 16
    assert module.alpha.grad.item() == pytest.approx((15 / 16) / 0.7)
