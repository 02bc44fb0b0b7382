import torch

from n2d2py.layers.joining import common, flattened, joined, joined_codes, united
from n2d2py.quant.grid import Coded, Grid

WIDE, FLAT = torch.arange(12.0).reshape(1, 2, 2, 3), torch.tensor([7.0, 8.0]).reshape(1, 2, 1, 1)


def test_one_input_stays_the_same_tensor():
    coded = Coded(WIDE, Grid(1.0, 0, 15))
    assert joined([WIDE]) is WIDE
    assert joined_codes([coded]) is coded


def test_a_width_and_height_of_one_is_broadcast():
    result = joined([WIDE, FLAT])
    assert torch.equal(result[:, :2], WIDE)
    assert torch.equal(result[:, 2:], FLAT.expand(1, 2, 2, 3))


def test_inputs_are_flattened_one_after_the_other():
    assert flattened([WIDE, FLAT]).tolist() == [[*map(float, range(12)), 7.0, 8.0]]


def test_codes_of_one_scale_stay_codes():
    result = joined_codes([Coded(WIDE, Grid(0.5, 0, 15)), Coded(FLAT, Grid(0.5, -3, 8))])
    assert result.grid == Grid(0.5, -3, 15)
    assert torch.equal(result.values, joined([WIDE, FLAT]))


def test_codes_of_two_scales_come_to_one():
    first, second = Coded(WIDE, Grid(0.5, 0, 15)), Coded(FLAT, Grid(0.3, 0, 15))
    result = joined_codes([first, second])
    assert result.grid is not None
    assert result.grid.magnitude < 1 << 24
    assert torch.equal(result.values, result.values.round())
    exact = joined([WIDE * 0.5, FLAT * 0.3])
    assert float((result.real() - exact).abs().max()) <= 7.5 * 2.0**-23


def test_codes_and_reals_become_reals():
    result = joined_codes([Coded(WIDE, Grid(0.5, 0, 15)), Coded(FLAT)])
    assert result.grid is None
    assert torch.equal(result.values, joined([WIDE * 0.5, FLAT]))


def test_types_of_codes_become_one():
    narrow, wide = common([Coded(WIDE, Grid(0.5, 0, 15)), Coded(FLAT.double(), Grid(0.5, 0, 1 << 30))])
    assert narrow.values.dtype == wide.values.dtype == torch.float64


def test_an_offset_becomes_part_of_the_codes_unless_it_is_alone():
    offset = torch.tensor([0.25, -0.5], dtype=torch.float64)
    coded = Coded(WIDE, Grid(0.5, 0, 15), offset)
    assert common([coded])[0].offset is offset
    twice = joined_codes([coded, coded])
    assert twice.offset is None
    assert torch.equal(twice.exact(), torch.cat([coded.exact(), coded.exact()], 1))


def test_steps_of_two_are_kept_if_codes_are_of_one_parity():
    x = torch.ones(1, 1, 1, 1)
    odd, even = Coded(x, Grid(1.0, -3, 3, 2)), Coded(x, Grid(1.0, -2, 2, 2))
    assert united([odd, odd]) == Grid(1.0, -3, 3, 2)
    assert united([odd, even]) == Grid(1.0, -3, 3, 1)
