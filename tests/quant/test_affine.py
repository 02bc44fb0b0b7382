"""Wide codes: exact in Python integers, near the real numbers, never out of their grid."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.quant.affine import Term, affine, affine_on, aligned, narrowed
from n2d2py.quant.grid import Grid

factors = st.floats(-1e3, 1e3, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-9)
magnitudes = st.sampled_from([1, 15, 255, 1 << 12, 1 << 20, 1 << 27, 1 << 33, 1 << 45])


@given(st.lists(st.tuples(factors, magnitudes), min_size=1, max_size=4), factors, st.integers(0, 1 << 30))
def test_codes_are_the_rounded_sum(terms, bias, seed):
    made = [Term(torch.tensor([a]).double(), Grid(1.0, -most, most)) for a, most in terms]
    form = affine(made, torch.tensor([bias]).double())
    assert math.frexp(form.grid.scale)[0] == 0.5
    assert form.grid.magnitude < 1 << 27
    generator = torch.Generator().manual_seed(seed)
    codes = [torch.randint(-most, most + 1, (3,), generator=generator) for _, most in terms]
    for code, (_, most) in zip(codes, terms, strict=True):
        code[0] = most
    result = form(*codes).long().tolist()
    for place in range(3):
        total = int(form.biases)
        for code, multiplier, bits in zip(codes, form.multipliers, form.pre_shifts, strict=True):
            total += ((int(code[place]) + (1 << bits >> 1)) >> bits) * int(multiplier)
        assert abs(total) < 1 << 63
        assert result[place] == total >> form.shift
        assert form.grid.low <= result[place] <= form.grid.high
        exact = sum(a * int(code[place]) for (a, _), code in zip(terms, codes, strict=True)) + bias
        reach = sum(abs(a) * most for a, most in terms) + abs(bias)
        assert abs(result[place] * form.grid.scale - exact) <= reach * 2.0**-17


def test_powers_of_two_lose_nothing():
    form = affine([Term(torch.tensor(0.5).double(), Grid(0.5, -(1 << 20), 1 << 20))])
    assert form.shift == 0
    assert int(form.multipliers[0]) * form.grid.scale == 0.5


@pytest.mark.parametrize("seed", range(20))
def test_short_codes_never_lie_half_way(seed):
    """In an odd number of parts of a quantizer's step: no pair of codes is near the edge of a code."""
    random = np.random.default_rng(seed)
    grids = [Grid(float(random.uniform(0.1, 2)), -128, 127), Grid(float(random.uniform(0.1, 2)), 0, 255)]
    terms = [Term(torch.tensor(grid.scale).double(), grid) for grid in grids]
    form = affine_on(terms, torch.zeros(()).double(), 1.5)
    pairs = torch.cartesian_prod(*(torch.arange(grid.low, grid.high + 1) for grid in grids)).T
    found = form(*pairs).double() * form.grid.scale / 1.5
    assert float((found % 1.0 - 0.5).abs().min()) >= 1 / 4094 - 1e-9
    wanted = sum(codes * grid.scale for codes, grid in zip(pairs, grids, strict=True)) / 1.5
    assert float((found - wanted).abs().max()) <= 0.03
    fixed = [abs(round(grid.scale / 1.5 * 2047) / 2047 - grid.scale / 1.5) * grid.magnitude for grid in grids]
    assert float((found - wanted).abs().max()) <= sum(fixed) + 1e-9


@pytest.mark.parametrize(("factor", "highest"), [(0.5, 1000), (1e6, 255), (math.inf, 15), (math.nan, 15)])
def test_what_is_not_made_short(factor, highest):
    terms = [Term(torch.tensor(factor).double(), Grid(0.5, -highest, highest))]
    assert affine_on(terms, torch.zeros(()).double(), 1.0) is None


def test_what_is_not_finite_is_refused():
    with pytest.raises(OverflowError, match="not a finite number"):
        affine([Term(torch.tensor(float("nan")).double(), Grid(1.0, 0, 1))])
    with pytest.raises(OverflowError, match="have no grid"):
        affine([Term(torch.tensor(1e-290, dtype=torch.float64), Grid(1.0, 0, 1))])


def test_scales_come_to_one():
    grids = [Grid(0.3, 0, 15), Grid(1e-6, -255, 255), Grid(2.0, -1, 1, 2)]
    forms = aligned(grids, 24)
    assert len({form.grid.scale for form in forms}) == 1
    for grid, form in zip(grids, forms, strict=True):
        codes = torch.tensor([float(grid.low), float(grid.high)])
        assert float((form(codes).double() * form.grid.scale - codes * grid.scale).abs().max()) <= form.grid.scale
        assert form.grid.magnitude < 1 << 24


@given(st.integers(1, 1 << 50), st.integers(2, 40))
def test_shortened_codes_fit(most, bits):
    grid = Grid(0.25, -most, most)
    form = narrowed(grid, bits)
    if most.bit_length() <= bits:
        assert form is None
        return
    assert form is not None
    assert form.grid.magnitude.bit_length() <= bits
    assert int(form(torch.tensor([most]))) == form.grid.high
