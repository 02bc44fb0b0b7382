"""With what step learning begins."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.parts.apot import ApotWeights
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.quant import activations, initial, weights
from n2d2py.quant.levels import Levels

NORMAL = torch.randn(1 << 18, generator=torch.Generator().manual_seed(1))


def error(values, levels, step):
    return float((values.double() - levels.nearest(values.double() / step) * step).square().sum())


@pytest.mark.parametrize(("levels", "step"), [(3, 1.224), (5, 0.8430), (7, 0.6508), (9, 0.5338)])
def test_of_normal_values_it_is_that_of_max(levels, step):
    """Max 1960, "Quantizing for minimum distortion", table II."""
    found = Levels.between(-(levels // 2), levels // 2)
    assert initial.of_least_error(3 * NORMAL, found, found.nearest) == pytest.approx(3 * step, rel=0.01)


def test_of_signs_it_is_the_mean_magnitude():
    signs = Levels((-1, 1))
    found = initial.of_least_error(NORMAL, signs, signs.nearest)
    assert found == pytest.approx(float(NORMAL.double().abs().mean()), rel=1e-6)


@given(
    st.lists(st.integers(-9, 9), min_size=2, max_size=6, unique=True).filter(lambda codes: max(codes) > 0),
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=30),
)
def test_no_step_near_it_has_a_smaller_error(codes, values):
    levels, values = Levels(tuple(sorted(codes))), torch.tensor(values)
    step = initial.of_least_error(values, levels, levels.nearest)
    if not step:
        assert not bool(values.any())
        return
    if float(values.double() @ levels.nearest(values.double() / step)) <= 0:
        assert step == initial.of_magnitude(values, levels)
        return
    least = error(values, levels, step)
    for factor in (0.999, 1.001):
        assert least <= error(values, levels, step * factor) * (1 + 1e-6) + 1e-9


def test_a_large_tensor_is_looked_at_in_part_and_gives_the_same():
    levels = Levels.between(0, 15)
    many = NORMAL.repeat(5)
    found = [initial.of_least_error(values.clamp_min(0), levels, levels.nearest) for values in (NORMAL, many)]
    assert found[0] == pytest.approx(found[1], rel=0.01)


def test_from_the_first_tensor_as_the_record_says():
    w = NORMAL[:5000].view(50, 100)
    for record, expected in (
        (LsqWeights(levels=(-1, 0, 1)), 1.60),
        (LsqWeights(levels=(-1, 0, 1), initial_step="MSE"), 1.22),
        (ApotWeights(levels=(-1, 0, 1), initial_step="MSE"), 1.22),
        (LsqWeights(levels=(-1, 0, 1), initial_step="MSE", init_step=False, step_size=3.0), 3.0),
    ):
        module = weights.make(record, w.shape)
        module(w)
        ((_, step),) = module.learned()
        assert float(step.detach()) == pytest.approx(expected, rel=0.02)
    module = activations.make(LsqActivations(range=3, initial_step="MSE"))
    module(w.clamp_min(0.0))
    expected = initial.of_least_error(w.clamp_min(0.0), Levels.between(0, 3), Levels.between(0, 3).nearest)
    assert module.grid().scale == pytest.approx(expected)


def test_of_no_values_it_is_none():
    levels = Levels.between(-1, 1)
    assert initial.of_least_error(torch.ones(0, 3), levels, levels.nearest) == 0.0


def test_of_zeros_it_is_1():
    module = weights.make(LsqWeights(range=15, initial_step="MSE"), (2, 3))
    assert not bool(module(torch.zeros(2, 3)).any())
    ((_, step),) = module.learned()
    assert float(step.detach()) == 1.0
