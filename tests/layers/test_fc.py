import math

import pytest
import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import network, one, pixels

FC = "Type=Fc\nNbOutputs=5\n"


def test_flattens_channel_by_channel():
    layer = one(FC, (3, 2, 4))
    x = torch.randn(6, 4, 2, 3)
    y = layer(x)
    assert tuple(y.shape) == (6, 5, 1, 1)
    assert torch.allclose(y.flatten(1), x.reshape(6, 24) @ layer.weights.T + layer.biases, atol=1e-6)


def test_several_inputs_and_one_bias():
    made = network(
        "[a]\nType=Conv\nInput=env\nKernelSize=3\nNbOutputs=3\n[b]\nType=Fc\nInput=env\nNbOutputs=2\n"
        f"[c]\nInput=a,b\n{FC}"
    )
    x = torch.randn(2, 2, 8, 8)
    a, b, c = (made.layers[name] for name in "abc")
    joined = torch.cat([a(x).flatten(1), b(x).flatten(1)], 1)
    assert torch.allclose(made(x)["c"].flatten(1), joined @ c.weights.T + c.biases, atol=1e-5)
    assert [tuple(part.shape) for part in c.parts()] == [(5, 108), (5, 2)]


def test_normalize_gives_rows_of_norm_one():
    layer = one(FC + "Normalize=1\nNoBias=1")
    x = torch.randn(2, 2, 8, 8)
    rows = layer.weights.detach().clone()
    expected = rows / torch.sqrt(rows.square().sum(1, keepdim=True) + 1e-6)
    assert torch.allclose(layer.eval()(x).flatten(1), x.flatten(1) @ expected.T, atol=1e-5)
    assert torch.equal(layer.weights, rows)
    layer.train()(x)
    assert torch.equal(layer.weights, expected)


def test_drop_connect_keeps_that_share_while_learning():
    layer = one(FC.replace("5", "50") + "DropConnect=0.25\nNoBias=1", (8, 8, 4))
    with torch.no_grad():
        layer.weights.fill_(1.0)
    x = torch.ones(1, 4, 8, 8)
    torch.manual_seed(0)
    kept = layer.train()(x).detach().flatten()
    assert float(kept.mean()) / 256 == pytest.approx(0.25, abs=0.02)
    assert layer.eval()(x).unique().tolist() == [256.0]


def test_back_propagate_0_blocks_only_the_inputs():
    layer = one(FC + "BackPropagate=0\nQWeight=SAT")
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is None
    assert layer.weights.grad.abs().max() > 0


def test_evaluates_on_codes():
    layer = one(FC + "NoBias=1\nQWeight=SAT\nQWeight.Range=15\nQWeight.ApplyScaling=1")
    stimuli = pixels()
    result = layer.evaluate(stimuli)
    codes, weights = layer.weight_codes()
    assert torch.equal(result.values.flatten(1).long(), stimuli.values.flatten(1).long() @ codes.long().T)
    assert result.grid.scale == weights.scale / 255
    assert torch.allclose(result.real(), layer(stimuli.real()), rtol=1e-4, atol=1e-5)


def test_a_last_bias_becomes_part_of_the_codes():
    layer = one(FC + "QWeight=SAT\nQWeight.Range=15")
    stimuli = pixels()
    result = layer.evaluate(stimuli)
    assert result.offset is None
    codes, weights = layer.weight_codes()
    scale = weights.scale / 255
    bits = round(math.log2(scale / result.grid.scale))
    assert 0 < bits <= 16
    assert result.grid.magnitude < 1 << 30
    bias = torch.round(layer.biases.detach().double() / scale * 2**bits).long()
    expected = ((stimuli.values.flatten(1).long() @ codes.long().T) << bits) + bias
    assert torch.equal(result.values.flatten(1).long(), expected)
    assert result.grid.scale == scale / 2**bits
    assert torch.allclose(result.real(), layer(stimuli.real()), rtol=1e-4, atol=1e-5)


def test_inputs_of_different_scales_come_to_one():
    layer = network(
        "[a]\nType=Fc\nInput=env\nNbOutputs=2\n[b]\nType=Fc\nInput=env\nNbOutputs=2\n"
        f"[c]\nInput=a,b\n{FC}QWeight=SAT\n"
    ).layers["c"]
    codes = torch.ones(1, 2, 1, 1)
    equal = layer.evaluate(Coded(codes, Grid(0.5, 0, 3)), Coded(codes, Grid(0.5, 0, 7)))
    assert equal.grid is not None
    different = layer.evaluate(Coded(codes, Grid(0.5, 0, 3)), Coded(codes, Grid(0.25, 0, 7)))
    assert different.grid is not None
    assert different.grid.scale < equal.grid.scale
    assert torch.equal(different.values, different.values.round())
