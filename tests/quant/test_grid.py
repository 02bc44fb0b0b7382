import pytest
import torch

from n2d2py.quant.grid import Coded, Grid, exact_dtype, product_dtype


@pytest.mark.parametrize(
    ("grid", "bits", "levels", "magnitude"),
    [
        (Grid(1.0, 0, 15), 4, 16, 15),
        (Grid(1.0, 0, 0), 1, 1, 0),
        (Grid(1.0, -15, 15, 2), 5, 16, 15),
        (Grid(1.0, -128, 127), 8, 256, 128),
        (Grid(1.0, -1, 0), 1, 2, 1),
        (Grid(1.0, -1, 1, 2), 2, 2, 1),
    ],
)
def test_a_grid_knows_its_bits_levels_and_magnitude(grid, bits, levels, magnitude):
    assert (grid.bits, grid.levels, grid.magnitude) == (bits, levels, magnitude)


def test_real_values_are_codes_times_scale_plus_offset():
    codes = torch.tensor([[[[1.0]], [[-2.0]]]])
    coded = Coded(codes, Grid(0.25, -2, 1), torch.tensor([0.5, 10.0], dtype=torch.float64))
    assert coded.exact().dtype == torch.float64
    assert coded.real().flatten().tolist() == [0.75, 9.5]
    assert coded.values is codes
    assert codes.flatten().tolist() == [1.0, -2.0]


def test_an_offset_needs_codes():
    with pytest.raises(ValueError, match="offset"):
        Coded(torch.zeros(1, 1, 1, 1), None, torch.zeros(1))


def test_types_hold_every_integer():
    assert exact_dtype((1 << 24) - 1) == torch.float32
    assert exact_dtype(1 << 24) == torch.float64
    with pytest.raises(OverflowError, match="no exact float type"):
        exact_dtype(1 << 53)


def test_products_are_wide_where_torch_may_shorten_them():
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("highest")
        assert product_dtype(100) == torch.float32
        torch.set_float32_matmul_precision("high")
        assert product_dtype(100) == torch.float64
    finally:
        torch.set_float32_matmul_precision(before)
