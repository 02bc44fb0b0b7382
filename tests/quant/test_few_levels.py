"""Binary and ternary values: formulas, gradients, levels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.parts.binary import BinaryActivations, BinaryWeights, TernaryActivations, TernaryWeights
from n2d2py.quant import activations, weights
from n2d2py.quant.grid import Grid

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])
MEAN = 1.7 / 5


def weight(record):
    return weights.make(record, (5,))


def test_binary_weights_of_mean_scale():
    codes, grid = weight(BinaryWeights()).codes(W)
    assert codes.tolist() == [-1, -1, 1, 1, 1]
    assert grid == Grid(pytest.approx(MEAN, rel=1e-6), -1, 1, 2)


def test_ternary_weights_of_mean_scale():
    codes, grid = weight(TernaryWeights()).codes(W)  # the threshold is 0.7 * 0.34 = 0.238
    assert codes.tolist() == [-1, 0, 0, 0, 1]
    assert grid == Grid(pytest.approx((0.5 + 0.9) / 2, rel=1e-6), -1, 1)


def test_ternary_weights_of_constant_scale_are_0_up_to_half_of_it():
    module = weights.make(TernaryWeights(scale="Constant", scale_value=0.25), (4,))
    codes, grid = module.codes(torch.tensor([-0.126, -0.125, 0.125, 0.126]))
    assert codes.tolist() == [-1, 0, 0, 1]
    assert grid.scale == 0.25


@pytest.mark.parametrize("record", [BinaryWeights(), TernaryWeights(), BinaryWeights(scale="Learned")])
def test_a_quantized_weight_is_its_code_times_the_scale(record):
    module = weight(record)
    codes, grid = module.codes(W)
    assert torch.equal(module(W).detach(), codes * torch.tensor(grid.scale).float())


@pytest.mark.parametrize("record", [BinaryWeights(clip=0.5), TernaryWeights(clip=0.5)])
def test_the_gradient_passes_up_to_the_clip(record):
    w = W.clone().requires_grad_()
    (weight(record)(w) * torch.arange(1.0, 6.0)).sum().backward()
    assert w.grad.tolist() == [1, 2, 3, 4, 0]


def test_the_gradient_of_a_learned_scale():
    module = weight(BinaryWeights(scale="Learned"))
    (name, scale), = module.learned()
    assert (name, scale.item()) == ("QWeight_Scale", pytest.approx(0.1))
    (module(W) * torch.arange(1.0, 6.0)).sum().backward()
    assert scale.grad.item() == pytest.approx((-1 - 2 + 3 + 4 + 5) / math.sqrt(5))


@pytest.mark.parametrize("scale", ["Mean", "Constant", "Learned"])
@pytest.mark.parametrize("record", [BinaryWeights, TernaryWeights])
def test_weights_of_nothing_but_zero(record, scale):
    module = weights.make(record(scale=scale), (3,))
    assert bool(torch.isfinite(module(torch.zeros(3))).all())


def test_binary_activations():
    module = activations.make(BinaryActivations())
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], requires_grad=True)
    y = module(x)
    assert y.tolist() == [-1, -1, 1, 1, 1]
    y.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    assert module.codes(x.detach().double()).tolist() == [-1, -1, 1, 1, 1]
    assert module.grid() == Grid(1.0, -1, 1, 2)


def test_ternary_activations():
    module = activations.make(TernaryActivations(scale_value=0.5))
    x = torch.tensor([-2.0, -0.3, -0.25, 0.25, 0.3, 2.0])
    assert module(x).tolist() == [-0.5, -0.5, 0, 0, 0.5, 0.5]
    assert module.split(x).values.tolist() == [-1, -1, 0, 0, 1, 1]


@settings(deadline=None)
@given(
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=20),
    st.sampled_from([BinaryActivations(), TernaryActivations(), TernaryActivations(scale_value=0.3)]),
)
def test_activations_are_codes_of_their_grid(values, record):
    module = activations.make(record)
    codes = module.split(torch.tensor(values)).values
    assert set(codes.int().tolist()) <= set(module.grid().codes)
