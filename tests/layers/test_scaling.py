import pytest
import torch

from n2d2py.quant.grid import Grid

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 4, 8, 8)


def scaling(factor):
    return one(f"Type=Scaling\nNbOutputs=4\nFactor={factor}\n", (8, 8, 4))


def test_forward_and_gradient():
    checked(scaling("-0.3"), SHAPE, reference=lambda x: -0.3 * x)
    each = torch.tensor([1.0, 0.5, -2.0, 0.0]).view(4, 1, 1)
    checked(scaling("1 0.5 -2 0"), SHAPE, reference=lambda x: each * x)


def test_codes_stay_codes_of_another_scale():
    coded = same_in_evaluation(scaling("0.5"), codes(SHAPE, -3, 7))
    assert coded.grid == Grid(0.125, -3, 7)
    assert torch.equal(coded.values, codes(SHAPE, -3, 7).values)
    assert same_in_evaluation(scaling("2 2 2 2"), codes(SHAPE, -3, 7)).grid == Grid(0.5, -3, 7)


@pytest.mark.parametrize("factor", ["-0.5", "0", "1 2 3 4", "0.1 0.2 -0.3 0"])
def test_other_factors_give_wide_codes(factor):
    coded = same_in_evaluation(scaling(factor), codes(SHAPE, -3, 7))
    assert coded.grid is not None
    assert coded.grid.magnitude < 1 << 27
