import pytest
import torch
from torch.nn import functional

from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import with_zero

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 4, 8, 8)
PADDING = "Type=Padding\nNbOutputs=4\nTopPadding={}\nBottomPadding={}\nLeftPadding={}\nRightPadding={}\n"


@pytest.mark.parametrize("sides", [(1, 2, 3, 4), (0, 0, 0, 1), (-1, -2, 0, -3), (-1, 2, 1, -2)])
def test_padding(sides):
    top, bottom, left, right = sides
    layer = one(PADDING.format(*sides), (8, 8, 4))
    checked(layer, SHAPE, reference=lambda x: functional.pad(x, (left, right, top, bottom)))
    coded = same_in_evaluation(layer, codes(SHAPE, 3, 15))
    assert coded.grid == (with_zero(Grid(0.25, 3, 15)) if max(sides) > 0 else Grid(0.25, 3, 15))
    assert torch.equal(coded.values, functional.pad(codes(SHAPE, 3, 15).values, (left, right, top, bottom)))


def test_padding_of_a_grid_without_zero():
    layer = one(PADDING.format(1, 1, 1, 1), (8, 8, 4))
    assert same_in_evaluation(layer, codes(SHAPE, -3, 3, step=2)).grid == Grid(0.25, -3, 3, uneven=(-3, -1, 0, 1, 3))


def test_padding_with_a_quantizer():
    layer = one(PADDING.format(1, 1, 1, 1) + "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=7", (8, 8, 4))
    assert layer.evaluate(codes(SHAPE, 0, 15)).grid == Grid(8 / 7, 0, 7)
