from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels, with_zero

SETS = st.lists(st.integers(-40, 40), min_size=2, max_size=9, unique=True).map(lambda codes: tuple(sorted(codes)))


@given(SETS, st.floats(-60, 60, width=32))
def test_no_level_is_nearer(codes, value):
    taken = float(Levels(codes).nearest(torch.tensor([value], dtype=torch.float64)))
    assert taken in codes
    assert abs(taken - value) == min(abs(code - value) for code in codes)


@given(SETS)
def test_half_way_the_even_level_is_taken_else_the_upper(codes):
    for below, above in pairwise(codes):
        middle = torch.tensor([(below + above) / 2])
        expected = below if below % 2 == 0 and above % 2 != 0 else above
        if below % 2 == 0 and above % 2 == 0:
            assert float(Levels(codes).nearest(middle)) in (below, above)
        else:
            assert float(Levels(codes).nearest(middle)) == expected


@given(SETS, st.lists(st.floats(-60, 60, width=32), min_size=2, max_size=2))
def test_rounding_is_monotone(codes, values):
    low, high = Levels(codes).nearest(torch.tensor(sorted(values)))
    assert low <= high


def test_even_levels_round_as_rint():
    values = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert Levels.between(-2, 2).nearest(values).tolist() == [-2, -2, 0, 0, 2, 2]


def test_the_sign_of_zero_is_plus():
    assert Levels((-1, 1)).nearest(torch.tensor([-1e-30, 0.0, 1e-30])).tolist() == [-1, 1, 1]


def test_grids():
    assert Levels.between(0, 3).grid(0.5) == Grid(0.5, 0, 3)
    assert Levels((-1, 1)).grid(0.5) == Grid(0.5, -1, 1, 2)
    uneven = Levels((0, 1, 2, 4)).grid(0.5)
    assert (uneven.levels, tuple(uneven.codes)) == (4, (0, 1, 2, 4))


@pytest.mark.parametrize("codes", [(), (1,), (1, 1), (2, 1)])
def test_what_is_no_level_set(codes):
    with pytest.raises(ValueError, match="increasing order"):
        Levels(codes)


def test_millions_of_levels_cost_nothing():
    levels = Levels.between(-(1 << 40), 1 << 40)
    assert levels.grid(0.5) == Grid(0.5, -(1 << 40), 1 << 40)
    assert levels.shifted(3).low == 3 - (1 << 40)
    assert levels.nearest(torch.tensor([2.5], dtype=torch.float64)).tolist() == [2]


@given(SETS)
def test_zero_is_added_to_the_levels_and_nothing_else(codes):
    grid = with_zero(Levels(codes).grid(0.5))
    assert list(grid.codes) == sorted({*codes, 0})
    assert (grid.low, grid.high, grid.scale) == (min(0, codes[0]), max(0, codes[-1]), 0.5)


@pytest.mark.parametrize(
    ("grid", "result"),
    [
        (Grid(1.0, 0, 15), Grid(1.0, 0, 15)),
        (Grid(1.0, -4, 4, 2), Grid(1.0, -4, 4, 2)),
        (Grid(1.0, -1, 1, 2), Grid(1.0, -1, 1)),
        (Grid(1.0, -3, 3, 2), Grid(1.0, -3, 3, uneven=(-3, -1, 0, 1, 3))),
        (Grid(1.0, 2, 6, 2), Grid(1.0, 0, 6, 2)),
        (Grid(1.0, -6, -2, 2), Grid(1.0, -6, 0, 2)),
    ],
)
def test_zero_becomes_a_code(grid, result):
    assert with_zero(grid) == result


def test_of_a_great_many_levels_without_zero_all_integers_between_them_are_taken():
    assert with_zero(Grid(1.0, -262143, 262143, 2)) == Grid(1.0, -262143, 262143)
