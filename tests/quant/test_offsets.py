"""LSQ+: an offset that is a whole number of steps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import ParameterError
from n2d2py.parts.lsq import LsqActivations
from n2d2py.quant import activations
from n2d2py.quant.grid import Grid


def lsq_plus(step=0.5, beta=-1.3, **keys):
    module = activations.make(LsqActivations(offset=True, **keys))
    with torch.no_grad():
        for (_, tensor), value in zip(module.learned(), (step, beta), strict=True):
            tensor.fill_(value)
    return module


def test_golden():
    module = lsq_plus(range=3)  # z = rint(-2.6) = -3: codes -3 .. 0
    assert module.grid() == Grid(0.5, -3, 0)
    x = torch.tensor([-9.0, -1.4, -0.8, 0.1, 4.0], requires_grad=True)
    y = module(x)
    assert y.tolist() == [-1.5, -1.5, -1.0, 0, 0]
    y.backward(torch.arange(1.0, 6.0))
    (_, step), (name, beta) = module.learned()
    factor = 1 / math.sqrt(5 * 3)
    assert name == "QAct_LSQ_Offset"
    assert x.grad.tolist() == [0, 2, 3, 0, 0]
    assert beta.grad.item() == pytest.approx((1 + 4 + 5) * factor)
    # below: Q_n = 0; inside: code - v; above: Q_p = 3
    ds = 2 * (-3 + 2.8) + 3 * (-2 + 1.6) + 4 * 3 + 5 * 3
    assert step.grad.item() == pytest.approx(ds * factor, rel=1e-5)


@settings(deadline=None)
@given(
    st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20),
    st.floats(0.015625, 2, width=32),
    st.floats(-2, 2, width=32),
    st.sampled_from([{"range": 3}, {"range": 15, "signed": True}, {"levels": (-1, 0, 1)}]),
)
def test_the_codes_are_those_of_the_grid(values, step, beta, keys):
    module, x = lsq_plus(step, beta, **keys), torch.tensor(values)
    grid = module.grid()
    zero = round(torch.tensor(beta).div(torch.tensor(step)).item())
    assert (grid.low, grid.high) == (module.levels.low + zero, module.levels.high + zero)
    scaled = module.split(x)
    assert set(scaled.values.int().tolist()) <= set(grid.codes)
    assert int(scaled.values.abs().max()) <= scaled.high
    assert torch.equal(scaled.values * scaled.scale, module(x))


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=20), st.booleans())
def test_gradients_of_codes_are_those_of_values(values, power):
    module = lsq_plus(0.3, -0.4, range=7, power_of_two=power).double()
    gradient = torch.linspace(-1, 1, len(values), dtype=torch.float64)

    def gradients(forward):
        x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        forward(x).backward(gradient)
        found = [x.grad, *(tensor.grad.clone() for _, tensor in module.learned())]
        for _, tensor in module.learned():
            tensor.grad = None
        return found

    def by_codes(x):
        scaled = module.split(x)
        return scaled.values * scaled.scale

    for whole, split in zip(gradients(module), gradients(by_codes), strict=True):
        assert torch.allclose(whole, split, rtol=1e-12, atol=1e-12)


def test_the_first_batch_gives_step_and_offset():
    module = activations.make(LsqActivations(range=4, offset=True))
    assert module.span is None
    module(torch.tensor([-1.0, 0.0, 1.0, 3.0]))
    (_, step), (_, beta) = module.learned()
    assert (step.item(), beta.item()) == (1.0, -1.0)
    assert module.grid() == Grid(1.0, -1, 3)
    module.fill()
    assert not module.ready
    assert beta.item() == 0.0


def test_far_values_do_not_count_at_first():
    values = torch.cat([torch.linspace(-1, 1, 10000), torch.tensor([1000.0])])
    module = activations.make(LsqActivations(range=15, offset=True))
    module(values)
    assert module.grid().scale < 3


def test_values_that_are_all_equal():
    module = activations.make(LsqActivations(range=15, offset=True))
    assert bool(torch.isfinite(module(torch.full((4,), 2.0))).all())


def test_levels_with_gaps():
    with pytest.raises(ParameterError, match="levels that have gaps") as error:
        LsqActivations(levels=(0, 1, 4), offset=True)
    assert "QAct.Offset=0" in str(error.value)
