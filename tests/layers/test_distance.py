import pytest
import torch

from n2d2py.quant.grid import Coded

from .networks import one

DISTANCE = "Type=Distance\nNbOutputs=3\nMargin=0.5\nCenterCoef=0.1\n"


def slow(x, means):
    return torch.stack([-0.5 * (x.flatten(1) - mean).square().sum(1) for mean in means], 1)[:, :, None, None]


def test_distances():
    layer = one(DISTANCE, (2, 2, 4))
    x = torch.randn(5, 4, 2, 2)
    assert torch.allclose(layer.eval()(x), slow(x, layer.means), atol=1e-5)
    assert torch.allclose(layer.evaluate(Coded(x)).values, slow(x, layer.means), atol=1e-5)
    assert torch.allclose(layer.train()(x), slow(x, layer.means), atol=1e-5)


def test_filling_is_wide_and_even():
    layer = one(DISTANCE, (2, 2, 4))
    bound = 2 * (3 / ((16 + 3) / 2)) ** 0.5
    assert layer.means.shape == (3, 16)
    assert float(layer.means.detach().abs().max()) <= bound
    assert float(layer.means.detach().abs().max()) > 0.8 * bound
    assert [item.name for item in layer.learned()] == [item.name for item in layer.stored()] == ["means"]


def test_margin_and_center_loss():
    layer = one(DISTANCE, (1, 1, 4)).train()
    labels = torch.tensor([2, 0, -1])
    layer.labels = lambda output: labels
    x = torch.randn(3, 4, 1, 1, requires_grad=True)
    copy, means = x.detach().clone().requires_grad_(), layer.means.detach().clone().requires_grad_()
    factors = torch.ones(3, 3)
    factors[0, 2] = factors[1, 0] = 1.5
    expected = slow(copy, means) * factors[:, :, None, None]
    y = layer(x)
    assert torch.allclose(y, expected, atol=1e-5)
    share = torch.randn(y.shape)
    own = sum(0.5 * (copy[index].flatten() - means[label]).square().sum() for index, label in ((0, 2), (1, 0)))
    ((expected * share).sum() + 0.1 * own).backward()
    y.backward(share)
    assert torch.allclose(x.grad, copy.grad, atol=1e-5)
    assert torch.allclose(layer.means.grad, means.grad, atol=1e-5)


def test_the_margin_grows():
    layer = one(DISTANCE + "EndRampIT=4\n", (1, 1, 4)).train()
    x = torch.randn(1, 4, 1, 1)
    plain = float(layer.eval()(x)[0, 1, 0, 0].detach())
    layer.train().labels = lambda output: torch.tensor([1])
    seen = [float(layer(x)[0, 1, 0, 0].detach()) / plain for _ in range(6)]
    assert seen == pytest.approx([1.0, 1.125, 1.25, 1.375, 1.5, 1.5])
    layer.fill(torch.Generator())
    assert layer.margin == 0.0


def test_inputs_may_be_left_alone():
    layer = one(DISTANCE + "BackPropagate=0\n", (1, 1, 4)).train()
    x = torch.randn(2, 4, 1, 1, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is None
    assert layer.means.grad.any()
