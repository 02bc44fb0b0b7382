"""Fixed point: scales of powers of two, words of so many bits."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import ParameterError
from n2d2py.parts.fixed_point import FixedPointActivations, FixedPointWeights
from n2d2py.quant import activations, weights
from n2d2py.quant.grid import Grid

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])


def weight(shape=(5,), **keys):
    return weights.make(FixedPointWeights(**keys), shape)


def test_golden_weights_of_four_bits():
    codes, grid = weight(range=15).codes(W)
    assert grid == Grid(1 / 8, -7, 7)  # 2^ceil(log2 0.9) = 1
    assert codes.tolist() == [-4, -1, 0, 2, 7]


def test_golden_weights_of_a_scale_of_any_size():
    codes, grid = weight(range=15, power_of_two=False).codes(W)
    assert grid == Grid(pytest.approx(0.9 / 7), -7, 7)
    assert codes.tolist() == [-4, -1, 0, 2, 7]


@settings(deadline=None)
@given(
    st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20), st.sampled_from([3, 15, 255]), st.booleans()
)
def test_a_quantized_weight_is_its_code_times_the_scale(values, steps, power):
    module, w = weight((len(values),), range=steps, power_of_two=power), torch.tensor(values)
    codes, grid = module.codes(w)
    assert torch.equal(module(w).detach(), codes * torch.tensor(grid.scale))
    assert set(codes.int().tolist()) <= set(grid.codes)
    if power:
        assert math.frexp(grid.scale)[0] == 0.5


@pytest.mark.parametrize("power", [True, False])
def test_the_gradient_of_weights(power):
    module, g = weight(range=15, power_of_two=power).double(), torch.arange(1.0, 6.0, dtype=torch.float64)
    w = W.double().requires_grad_()
    (module(w) * g).sum().backward()
    codes, grid = module.codes(w.detach())
    slope = float((g * (codes - w.detach() / grid.scale)).sum()) * grid.scale / w.max().item()
    assert w.grad.tolist() == pytest.approx([1, 2, 3, 4, 5 + slope])


def test_weights_of_nothing_but_zero():
    module, w = weight(range=15), torch.zeros(5, requires_grad=True)
    module(w).sum().backward()
    assert w.grad.tolist() == [1] * 5
    assert module.codes(w)[0].tolist() == [0] * 5


@pytest.mark.parametrize(
    ("keys", "grid"),
    [
        ({}, Grid(2 / 256, 0, 255)),  # a threshold of 1.5: 2^ceil(log2 1.5) = 2
        ({"signed": True}, Grid(2 / 128, -128, 127)),
        ({"power_of_two": False}, Grid(pytest.approx(1.5 / 255), 0, 255)),
        ({"power_of_two": False, "signed": True}, Grid(pytest.approx(1.5 / 128), -128, 127)),
        ({"percentile": 50}, Grid(1 / 256, 0, 255)),  # half of them are at most 1
    ],
)
def test_the_first_batch_gives_the_threshold(keys, grid):
    module = activations.make(FixedPointActivations(**keys))
    assert not module.ready
    module(torch.tensor([0.5, -1.5, 1.0, 1.25]))
    assert module.grid() == grid
    assert (module.span, [name for name, _ in module.learned()]) == (
        (grid.low, grid.high),
        ["QAct_FixedPoint_StepSize"],
    )


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20), st.booleans())
def test_activations_are_codes_times_the_scale(values, signed):
    module, x = activations.make(FixedPointActivations(range=15, signed=signed)), torch.tensor(values)
    y, scaled = module(x), module.split(x)
    assert torch.equal(scaled.values * scaled.scale, y)
    assert set(scaled.values.int().tolist()) <= set(module.grid().codes)
    assert torch.equal(module.codes(x.double()).float(), scaled.values)  # a power of two divides exactly


@pytest.mark.parametrize("steps", [1, 2, 16, (1 << 25) - 1])
def test_ranges_of_no_word(steps):
    with pytest.raises(ParameterError, match=f"Range={steps} is no range of a fixed-point word"):
        FixedPointWeights(range=steps)


def test_labels():
    assert FixedPointWeights(range=15).label() == "QWeights: fixed point, 4 bits"
    signed = FixedPointActivations(signed=True, power_of_two=False)
    assert signed.label() == "QAct: fixed point signed, 8 bits, scale of any size"
