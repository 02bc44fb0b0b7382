"""Bounds on the sums of weight codes: A2Q and A2Q+."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.parts.apot import ApotWeights
from n2d2py.parts.lsq import LsqWeights
from n2d2py.quant import weights
from n2d2py.quant.budgets import Budget, budget, fit


def test_budgets():
    assert budget(8, 0, 15, centred=False) == Budget(127 / 15)
    assert budget(8, 0, 15, centred=True) == Budget(254 / 15, centred=True)
    assert budget(8, -8, 7, centred=False) == Budget(127 / 8)
    assert budget(8, -8, 7, centred=True) == Budget(254 / 15, centred=True)
    assert budget(8, 2, 3, centred=True) == Budget(254 / 3, centred=True)  # padding is 0


def test_golden():
    w = torch.tensor([[3.0, -1.0, 0.0], [0.5, 0.5, 0.0]])
    fitted = fit(w, torch.tensor(0.5), Budget(4.0))
    assert fitted.tolist()[0] == pytest.approx([1.5, -0.5, 0], rel=1e-5)  # |w| sums up to 4 where 4 * 0.5 are allowed
    assert fitted.tolist()[1] == [0.5, 0.5, 0]
    centred = fit(w, torch.tensor(0.5), Budget(8.0, centred=True))
    assert centred.tolist()[1] == pytest.approx([1 / 6, 1 / 6, -1 / 3])


def test_the_gradient_reaches_weights_and_step():
    w, step = torch.tensor([[3.0, -1.0]], requires_grad=True), torch.tensor(0.5, requires_grad=True)
    (fit(w, step, Budget(4.0)) * torch.tensor([[1.0, 10.0]])).sum().backward()
    # w_i 2 / S with S = |w_1| + |w_2| = 4: its sum with (1, 10) is -7 * 2 / 4
    assert w.grad.tolist()[0] == pytest.approx([0.5 + 3.5 / 4, 5 - 3.5 / 4], rel=1e-5)
    assert step.grad.item() == pytest.approx(-7, rel=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 1000),
    st.integers(4, 20),
    st.sampled_from([(0, 1), (0, 15), (0, 255), (-8, 7), (-128, 127)]),
    st.booleans(),
    st.floats(0.001, 2.0),
    st.sampled_from([7, 15, 255]),
)
def test_no_sum_of_products_leaves_the_accumulator(seed, bits, ends, centred, step, steps):
    torch.manual_seed(seed)
    w = torch.randn(3, 4, 3, 3)
    module = weights.make(LsqWeights(range=steps, init_step=False, step_size=step), w.shape)
    module.bound(budget(bits, *ends, centred))
    codes, grid = module.codes(w)
    assert torch.equal(module(w).detach(), codes * torch.tensor(grid.scale))
    low, high = ends
    for row in codes.flatten(1).long().tolist():
        plus, minus = sum(code for code in row if code > 0), -sum(code for code in row if code < 0)
        assert plus * high - minus * low <= 2 ** (bits - 1) - 1
        assert plus * low - minus * high >= -(2 ** (bits - 1) - 1)


def test_rounding_is_toward_zero():
    module = weights.make(LsqWeights(range=15, init_step=False, step_size=1.0), (1, 3))
    module.bound(Budget(100.0))
    assert module.codes(torch.tensor([[1.9, -1.9, -9.0]]))[0].tolist() == [[1, -1, -8]]


def test_integer_mode_has_the_same_bound():
    module = weights.make(LsqWeights(range=15, mode="Integer"), (2, 6))
    module.bound(Budget(5.0))
    w = torch.randn(2, 6, generator=torch.Generator().manual_seed(1))
    codes, scale = module.split(w)
    assert torch.equal(codes * scale, module(w))
    assert int(codes.abs().sum(1).max()) <= 5


@pytest.mark.parametrize("record", [ApotWeights(range=15), LsqWeights(levels=(-4, -1, 1, 4)), LsqWeights(range=1)])
def test_grids_that_have_no_bound(record):
    assert not weights.make(record, (5,)).bounds_sums
