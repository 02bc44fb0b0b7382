"""Grids of stimuli that are real numbers: 0 is a code, nothing leaves the grid."""

import math

import torch

from n2d2py.quant.entry import encoded, measured_grid, table_grid
from n2d2py.quant.grid import Grid


def test_a_table_of_normalised_bytes_has_codes_of_16_bits():
    bytes_ = torch.arange(256).double()
    table = torch.stack([(bytes_ / 255 - mean) / deviation for mean, deviation in ((0.485, 0.229), (0.406, 0.225))])
    grid = table_grid(table)
    assert math.frexp(grid.scale)[0] == 0.5
    assert 1 << 14 <= grid.magnitude < 1 << 15
    coded = encoded(table.float(), grid)
    assert torch.equal(coded.values, torch.round(table.float().double() / grid.scale).float())
    assert float((coded.exact() - table).abs().max()) <= grid.scale
    assert encoded(torch.zeros(1), grid).values.tolist() == [0.0]


def test_a_measured_range_has_8_bits():
    assert measured_grid(0.0, 0.5) == Grid(0.5 / 255, 0, 255)
    grid = measured_grid(-1.0, 2.0)
    assert (grid.low, grid.high) == (-128, 127)
    assert encoded(torch.tensor([-1.0, 0.0, 2.0, 9.0]), grid).values.tolist() == [-64.0, 0.0, 127.0, 127.0]
    assert measured_grid(0.0, 0.0).scale > 0
