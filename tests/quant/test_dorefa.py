"""PACT and DoReFa: what they share with SAT, and where they differ."""

import pytest
import torch

from n2d2py.parts.dorefa import DoReFaActivations, DoReFaWeights, PactActivations
from n2d2py.parts.quantizers import SatActivations, SatWeights
from n2d2py.quant import activations, weights
from n2d2py.quant.grid import Grid

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])
X = torch.tensor([-1.0, 0.0, 0.3, 0.5, 0.99, 1.0, 1.7])


@pytest.mark.parametrize("split", [False, True])
def test_pact_moves_alpha_by_clipped_values_alone(split):
    module = activations.make(PactActivations(alpha=1.0, range=3))
    x = X.clone().requires_grad_()
    if split:
        scaled = module.split(x)
        (scaled.values * scaled.scale.detach() * torch.arange(1.0, 8.0)).sum().backward()
    else:
        (module(x) * torch.arange(1.0, 8.0)).sum().backward()
    (name, alpha), = module.learned()
    assert (name, alpha.grad.item()) == ("QAct_PACT_Alpha", 6 + 7)
    assert torch.allclose(x.grad, torch.tensor([0, 0, 3.0, 4, 5, 0, 0]))


def test_pact_gives_the_values_of_sat():
    pact, sat = (activations.make(kind(alpha=0.7, range=15)) for kind in (PactActivations, SatActivations))
    assert torch.equal(pact(X), sat(X))
    assert pact.grid() == sat.grid()


def test_dorefa_activations():
    module = activations.make(DoReFaActivations(range=3))
    x = X.clone().requires_grad_()
    y = module(x)
    assert torch.allclose(y, torch.tensor([0, 0, 1 / 3, 2 / 3, 1, 1, 1]))
    y.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 0]
    assert module.grid() == Grid(1 / 3, 0, 3)


def test_dorefa_weights_lie_on_the_grid_of_sat():
    dorefa, sat = weights.make(DoReFaWeights(range=7), (5,)), weights.make(SatWeights(range=7), (5,))
    assert torch.equal(dorefa(W), sat(W))


def test_dorefa_weights_of_one_bit_have_a_mean_scale():
    codes, grid = weights.make(DoReFaWeights(range=1), (5,)).codes(W)
    assert codes.tolist() == [-1, -1, 1, 1, 1]
    assert grid.scale == pytest.approx(0.34, rel=1e-6)


def test_clamped_dorefa_weights_have_no_codes():
    record = DoReFaWeights(apply_quantization=False)
    assert record.clamps_only
    assert not weights.make(record, (5,)).quantizes
