"""LSQ: golden values, the formulas element by element, the initial step, powers of two."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import ParameterError
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.quant import activations, weights
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels
from n2d2py.quant.steps import LearnedStep

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])


def weight(shape=(5,), **keys):
    return weights.make(LsqWeights(**keys), shape)


def reference(values, step, levels, gradient, by_magnitude=False):
    """(dx, ds / G) by the formulas, element by element, in float64."""
    dx, ds = [], 0.0
    for value, g in zip(values.tolist(), gradient.tolist(), strict=True):
        v = value / step
        code = min(levels.codes, key=lambda c: abs(c - v))
        inside = levels.low < v < levels.high
        edge = min(max(v, levels.low), levels.high)
        outside = g * min(max(edge / v, 0), 1) if by_magnitude and v else g * by_magnitude
        dx.append(g if inside else outside)
        ds += g * (code - v if inside else max(levels.low, min(levels.high, code)))
    return dx, ds


def test_golden_weights_of_four_bits():
    module, w = weight(range=15), W.clone().requires_grad_()
    out = module(w)
    assert module.step.value.item() == pytest.approx(0.2570158416, rel=1e-6)
    assert out.tolist() == pytest.approx([-0.514032, 0, 0, 0.257016, 1.028063], abs=1e-6)
    out.sum().backward()
    assert module.step.value.grad.item() == pytest.approx(0.1782590, abs=1e-6)
    assert w.grad.tolist() == [1, 1, 1, 1, 1]


def test_golden_weights_of_two_bits():
    module = weight(range=3)
    assert module(W).tolist() == pytest.approx([-0.68, 0, 0, 0, 0.68], abs=1e-6)
    assert module.step.value.item() == pytest.approx(0.68, rel=1e-6)


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ({"range": 255}, range(-128, 128)),
        ({"range": 15}, range(-8, 8)),
        ({"range": 3}, range(-2, 2)),
        ({"range": 2}, (-1, 0, 1)),
        ({"range": 1}, (-1, 1)),
        ({"range": 15, "mode": "Symmetric"}, range(-7, 8)),
        ({"levels": (-4, -1, 0, 1, 4)}, (-4, -1, 0, 1, 4)),
    ],
)
def test_levels_of_weights(keys, codes):
    assert tuple(LsqWeights(**keys).codes) == tuple(codes)


def test_levels_of_activations():
    assert tuple(LsqActivations(range=3).codes) == (0, 1, 2, 3)
    assert tuple(LsqActivations(range=3, signed=True).codes) == (-2, -1, 0, 1)
    assert LsqActivations(levels=(0, 1, 2, 4)).codes == (0, 1, 2, 4)


@settings(deadline=None)
@given(
    st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20),
    st.floats(0.015625, 2, width=32),
    st.sampled_from([(-1, 0, 1), (-8, *range(-7, 8)), (0, 1, 2, 3), (-1, 1), (-4, -1, 0, 1, 4)]),
    st.booleans(),
)
def test_gradients_are_those_of_the_formulas(values, step, codes, by_magnitude):
    levels = Levels(codes)
    module = LearnedStep(levels, step, by_magnitude=by_magnitude)
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    gradient = torch.linspace(-1, 1, len(values), dtype=torch.float64)
    module.double().quantize(x).backward(gradient)
    dx, ds = reference(x.detach(), step, levels, gradient, by_magnitude)
    assert x.grad.tolist() == dx
    factor = 1 / math.sqrt(len(values) * levels.high)
    distance = min(abs(v / step - (a + b) / 2) for v in values for a, b in pairwise(codes))
    if distance > 1e-9:  # half-way, the reference and the rule may take different levels
        assert float(module.value.grad) == pytest.approx(ds * factor, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20), st.sampled_from([1, 2, 3, 7, 15, 255]))
def test_a_quantized_weight_is_its_code_times_the_scale(values, steps):
    module = weight(shape=(len(values),), range=steps)
    w = torch.tensor(values)
    out = module(w).detach()
    codes, grid = module.codes(w)
    assert torch.equal(out, codes * torch.tensor(grid.scale, dtype=torch.float64).float())
    assert set(codes.int().tolist()) <= set(grid.codes)
    split, scale = module.split(w)
    assert torch.equal(split * scale, out)


def test_weights_outside_of_the_levels_learn_by_their_magnitude():
    keys = {"levels": (-1, 0, 1), "init_step": False, "step_size": 0.5}
    values = torch.tensor([-1.0, -0.5, 0.2, 0.8])
    found = {}
    for gradient in ("Clamped", "MAD"):
        for name in ("forward", "split"):
            module, w = weight(shape=(4,), gradient=gradient, **keys), values.clone().requires_grad_()
            if name == "forward":
                out = module(w)
            else:
                codes, step = module.split(w)
                out = codes * step
            out.backward(torch.tensor([1.0, 1.0, 1.0, -8.0]))
            found[gradient, name] = w.grad.tolist(), float(module.step.value.grad)
    clamped, by_magnitude = [0, 0, 1, 0], pytest.approx([0.5, 1, 1, -8 * 0.5 / 0.8])
    for name in ("forward", "split"):
        assert found["Clamped", name][0] == clamped
        assert found["MAD", name][0] == by_magnitude
        assert found["MAD", name][1] == found["Clamped", name][1]  # of the step nothing changes


def test_the_first_batch_gives_the_step_of_activations():
    module = activations.make(LsqActivations(range=4))
    assert not module.ready
    with pytest.raises(ValueError, match="no value yet"):
        module.grid()
    module(torch.tensor([1.0, 3.0]))
    assert module.grid() == Grid(2 * 2 / 2, 0, 4)
    module(torch.tensor([100.0]))
    assert module.grid().scale == 2.0


def test_a_loaded_step_wins():
    module = activations.make(LsqActivations(range=3))
    with torch.no_grad():
        module.learned()[0][1].fill_(0.25)
    module(torch.tensor([50.0]))
    assert module.grid().scale == 0.25


def test_a_given_step():
    module = weight(range=15, init_step=False, step_size=0.5)
    assert module(W).tolist() == [-0.5, 0, 0, 0, 1.0]


def test_values_of_nothing_but_zero_give_a_step():
    module = weight(range=15)
    assert module(torch.zeros(5)).tolist() == [0] * 5
    assert module.codes(torch.zeros(5))[1].scale == 1.0


@pytest.mark.parametrize(("step", "power"), [(0.25, 0.25), (0.26, 0.5), (0.4, 0.5), (1.0, 1.0), (1.1, 2.0)])
def test_steps_of_powers_of_two(step, power):
    module = LearnedStep(Levels.between(-2, 1), step, power_of_two=True)
    assert module.number() == power
    module.in_use().backward()
    assert float(module.value.grad) == pytest.approx(power / step)


def test_the_rate_factor_is_one_on_the_gradient_of_the_step():
    def gradient(factor):
        module = LearnedStep(Levels.between(-2, 1), 0.3, rate_factor=factor)
        module.quantize(W).sum().backward()
        return float(module.value.grad)

    assert gradient(0.1) == pytest.approx(0.1 * gradient(1.0))


@pytest.mark.parametrize("levels", [(1,), (1, 0), (0, 0, 1), (-2, -1), (-1, 0)])
def test_what_is_no_level_set(levels):
    with pytest.raises(ParameterError, match="Levels="):
        LsqWeights(levels=levels)
