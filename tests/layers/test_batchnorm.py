import math

import torch
from torch import nn

from n2d2py.quant.grid import Coded, Grid

from .networks import one, randomize

BN = "Type=BatchNorm\nNbOutputs=2\n"


def test_learns_as_torch_does():
    layer, twin = one(BN + "MovingAverageMomentum=0.3\nEpsilon=0.001"), nn.BatchNorm2d(2, eps=0.001, momentum=0.3)
    for seed in range(3):
        x = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(seed))
        left, right = x.clone().requires_grad_(), x.clone().requires_grad_()
        assert torch.equal(layer(left), twin(right))
        layer(left).square().sum().backward()
        twin(right).square().sum().backward()
        assert torch.equal(left.grad, right.grad)
    assert torch.equal(layer.means, twin.running_mean)
    assert torch.equal(layer.variances, twin.running_var)
    assert torch.equal(layer.eval()(x), twin.eval()(x))


def test_starts_with_variance_one():
    layer = one(BN)
    assert [(item.name, item.tensor.tolist()) for item in layer.stored()] == [
        ("scales", [1.0, 1.0]),
        ("biases", [0.0, 0.0]),
        ("means", [0.0, 0.0]),
        ("variances", [1.0, 1.0]),
    ]


def test_momentum_0_freezes_the_statistics():
    layer = one(BN + "MovingAverageMomentum=0")
    x = torch.randn(4, 2, 8, 8) * 5 + 3
    assert torch.allclose(layer.train()(x), x / (1 + 1e-5) ** 0.5, rtol=1e-6)
    assert layer.variances.tolist() == [1.0, 1.0]


def test_a_single_value_has_no_variance():
    layer = one(BN, (1, 1, 2))
    assert torch.isfinite(layer.train()(torch.full((1, 2, 1, 1), 5.0))).all()
    assert layer.variances.tolist() == [1.0, 1.0]


def test_back_propagate_0_blocks_only_the_inputs():
    layer = one(BN + "BackPropagate=0")
    x = torch.randn(4, 2, 8, 8, requires_grad=True)
    (layer(x) * torch.randn(4, 2, 8, 8)).sum().backward()
    assert x.grad is None
    assert layer.scales.grad.abs().max() > 0


def quantized(extra=""):
    layer = one(BN + "ActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=3\nQAct.Range=15\n" + extra)
    with torch.no_grad():
        layer.scales.copy_(torch.tensor([0.7, -1.3]))
        layer.biases.copy_(torch.tensor([0.5, 0.25]))
        layer.means.copy_(torch.tensor([-0.5, 2.0]))
        layer.variances.copy_(torch.tensor([0.3, 0.0]))
    return layer.eval()


def test_the_step_function_has_the_order_of_its_definition():
    layer, grid = quantized(), Grid(0.01, -1000, 1000)
    offset = torch.tensor([0.125, -0.5], dtype=torch.float64)
    acc = torch.arange(-1000, 1001).double().repeat(2, 1)
    codes = layer.step(grid, offset)(acc)
    alpha = 3.0
    for channel in range(2):
        factor = layer.scales[channel].double() / torch.sqrt(layer.variances[channel].double() + 1e-5)
        x = acc[channel] * 0.01 + offset[channel]
        y = (x - layer.means[channel].double()) * factor + layer.biases[channel].double()
        assert torch.equal(codes[channel], torch.round(y.clamp(0, alpha) * (15 / alpha)))
    assert torch.all(codes[0].diff() >= 0)
    assert torch.all(codes[1].diff() <= 0)


def test_evaluates_by_its_step_function():
    layer, grid = quantized(), Grid(0.01, -500, 500)
    acc = torch.randint(-500, 501, (3, 2, 4, 4)).float()
    result = layer.evaluate(Coded(acc, grid))
    assert result.grid == Grid(3.0 / 15, 0, 15)
    assert result.values.dtype == torch.float32
    assert torch.equal(result.values, layer.step(grid)(acc, axis=1).float())
    assert ((result.real() - layer(acc * 0.01)).abs() > 1e-5).float().mean() < 0.01


def test_the_activation_function_comes_before_the_quantizer():
    plain, rectified = quantized(), quantized("ActivationFunction.Clipping=1\n")
    acc = torch.arange(-1000, 1001).double().repeat(2, 1)
    grid = Grid(0.01, -1000, 1000)
    assert torch.equal(rectified.step(grid)(acc), plain.step(grid)(acc).clamp(max=5))
    assert rectified.step(grid).monotone


def test_without_a_quantizer_codes_become_wide_codes():
    layer = one(BN + "ActivationFunction=Rectifier").eval()
    acc = torch.randint(-500, 501, (3, 2, 4, 4)).float()
    offset = torch.tensor([0.25, -1.0], dtype=torch.float64)
    result = layer.evaluate(Coded(acc, Grid(0.01, -500, 500), offset))
    assert result.grid is not None
    assert math.frexp(result.grid.scale)[0] == 0.5
    assert result.grid.low == 0 < result.grid.high < 1 << 27
    assert torch.equal(result.values, result.values.round())
    assert torch.allclose(result.real(), layer(acc * 0.01 + offset.float()[None, :, None, None]), atol=1e-5)


def test_randomize_reaches_the_statistics():
    from .networks import lenet

    layer = randomize(lenet()).layers["bn1"]
    assert float(layer.variances.detach().std()) > 0
