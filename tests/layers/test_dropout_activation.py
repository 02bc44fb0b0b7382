import pytest
import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import network, one


def test_dropout_is_inverted_and_the_identity_in_test():
    layer = one("Type=Dropout\nNbOutputs=2\nDropout=0.2", (32, 32, 2))
    x = torch.ones(8, 2, 32, 32)
    torch.manual_seed(0)
    y = layer.train()(x)
    assert sorted(set(y.flatten().tolist())) == pytest.approx([0.0, 1.25])
    assert float((y == 0).float().mean()) == pytest.approx(0.2, abs=0.02)
    assert torch.equal(layer.eval()(x), x)
    coded = Coded(x, Grid(1.0, 0, 1))
    assert layer.evaluate(coded) is coded


def test_an_activation_does_not_write_into_its_input():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Rectifier")
    x = torch.randn(2, 2, 8, 8)
    before = x.clone()
    assert torch.equal(layer(x), before.relu())
    assert torch.equal(x, before)


def test_the_default_is_tanh():
    x = torch.randn(2, 2, 8, 8)
    assert torch.equal(one("Type=Activation\nNbOutputs=2")(x), x.tanh())


def test_a_quantized_activation_has_a_step():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Saturation\nQAct=SAT\nQAct.Alpha=2\nQAct.Range=3")
    codes = torch.arange(-32, 32).repeat(4, 1).reshape(2, 2, 8, 8).float()
    grid = Grid(0.125, -32, 31)
    result = layer.evaluate(Coded(codes, grid))
    assert torch.equal(result.values, torch.round((codes * 0.125).clamp(0, 1) * 1.5))
    assert layer.step(grid).monotone


def test_logistic_with_loss_gives_logits_to_a_target():
    section = "[c]\nType=Activation\nInput=env\nNbOutputs=2\nActivationFunction=LogisticWithLoss\n[c.Target]\n"
    made = network(section)
    x = torch.randn(2, 2, 8, 8)
    assert made.loss_form("c") == "logistic"
    assert torch.equal(made.train()(x)["c"], x)
    assert torch.equal(made.eval()(x)["c"], x.sigmoid())
    hidden = network(section + "[d]\nType=Fc\nInput=c\nNbOutputs=2\n")
    assert hidden.loss_form("c") == "square"
    assert torch.equal(hidden.train()(x)["c"], x.sigmoid())
