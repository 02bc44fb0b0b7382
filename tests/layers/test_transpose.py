import numpy as np
import torch

from n2d2py.quant.grid import Grid

from .networks import checked, codes, one, same_in_evaluation


def test_transpose_has_n2d2s_order():
    layer = one("Type=Transpose\nNbOutputs=5\nPerm=1 2 0 3", (5, 6, 4))
    x = torch.randn(3, 4, 6, 5)
    # the axes X Y Z B of N2D2 are those of numpy from the last to the first
    expected = np.transpose(x.numpy().T, (1, 2, 0, 3)).T
    assert np.array_equal(layer(x).numpy(), expected)
    checked(layer, (3, 4, 6, 5), reference=lambda x: x.permute(0, 3, 1, 2))
    assert same_in_evaluation(layer, codes((3, 4, 6, 5), 0, 15)).grid == Grid(0.25, 0, 15)


def test_transpose_with_a_depth():
    layer = one("Type=Transpose\nNbOutputs=5\nPerm=3 1 2 0 4", (5, 6, 3, 2))
    checked(layer, (2, 2, 3, 6, 5), reference=lambda x: x.permute(0, 4, 2, 3, 1))
    flat = one("Type=Transpose\nNbOutputs=3\nPerm=0 1 3 2 4", (5, 6, 3, 1))
    checked(flat, (2, 1, 3, 6, 5), reference=lambda x: x[:, 0])
