"""Cells that share weights quantize them once a pass."""

import pytest
import torch

from n2d2py.layers.once import Once, one_pass
from n2d2py.quant.sat_weights import SatWeightQuantization

from .networks import network

NET = """
[a]
Type=Conv
Input=env
KernelSize=3
Padding=1
NbOutputs=2
NoBias=1
{first}
[b]
Type=Conv
Input=a
KernelSize=3
Padding=1
NbOutputs=2
NoBias=1
WeightsSharing=a
{second}
"""
SAT = "QWeight=SAT\nQWeight.Range=15\nQWeight.Mode={mode}\n"


@pytest.mark.parametrize("mode", ["Default", "Integer"])
def test_equal_quantizers_quantize_once_and_get_the_gradient_of_both(mode, monkeypatch):
    counted = []
    name = "split" if mode == "Integer" else "forward"
    function = getattr(SatWeightQuantization, name)
    monkeypatch.setattr(SatWeightQuantization, name, lambda *given: counted.append(1) or function(*given))
    text = SAT.format(mode=mode)
    together = network(NET.format(first=text, second=text)).train()
    alone = network(NET.format(first=text, second=text)).train()
    for layer in alone.layers.values():
        layer.once = None
    x = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    for batch in (1, 2):
        for made in (together, alone):
            made.zero_grad()
            made(x)["b"].square().sum().backward()
        assert len(counted) == 3 * batch
        torch.testing.assert_close(together.layers["a"].weights.grad, alone.layers["a"].weights.grad)


@pytest.mark.parametrize("second", ["", "QWeight=SAT\nQWeight.Range=7\n"])
def test_other_quantizers_quantize_for_themselves(second):
    made = network(NET.format(first=SAT.format(mode="Default"), second=second))
    assert all(layer.once is None for layer in made.layers.values())


def test_learned_quantizers_quantize_for_themselves():
    text = "QWeight=LSQ\nQWeight.Range=15\n"
    made = network(NET.format(first=text, second=text))
    assert all(layer.once is None for layer in made.layers.values())


def test_nothing_is_kept_outside_of_a_pass():
    once, counted = Once(), []

    def compute():
        counted.append(1)
        return len(counted)

    assert [once.get(compute), once.get(compute)] == [1, 2]
    with one_pass([once]):
        assert [once.get(compute), once.get(compute)] == [3, 3]
    assert once.get(compute) == 4
