import numpy as np
import pytest
import torch
from torch.nn import functional

from n2d2py.quant.grid import Grid

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 4, 8, 8)
RESIZE = "Type=Resize\nNbOutputs=4\nOutputWidth={}\nOutputHeight={}\nMode={}\nAlignCorners={}\n"


def slow_resize(x, height, width, mode, align):
    """One output value at a time, in float64."""
    result = np.zeros((*x.shape[:2], height, width))

    def places(size, count, index):
        if mode == "NearestNeighbor":
            return index * size // count, index * size // count, 0.0
        if align:
            scale = (size - 1) / (count - 1) if count > 1 else size / count
            place = index * scale
        elif mode == "Bilinear":
            place = (index + 0.5) * size / count - 0.5
        else:
            place = index * size / count
        place = min(max(place, 0.0), size - 1)
        low = int(place)
        return low, min(low + 1, size - 1), place - low

    for row, column in np.ndindex(height, width):
        top, bottom, down = places(x.shape[2], height, row)
        left, right, across = places(x.shape[3], width, column)
        for y, x_, share in (
            (top, left, (1 - down) * (1 - across)),
            (top, right, (1 - down) * across),
            (bottom, left, down * (1 - across)),
            (bottom, right, down * across),
        ):
            result[:, :, row, column] += share * x[:, :, y, x_]
    return result


@pytest.mark.parametrize("size", [(16, 5), (3, 12), (1, 1), (8, 7)])
@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("mode", ["Bilinear", "BilinearTF", "NearestNeighbor"])
def test_resize_against_a_slow_reference(mode, align, size):
    layer = one(RESIZE.format(*size, mode, align), (8, 7, 4))
    x = torch.randn(2, 4, 7, 8)
    expected = slow_resize(x.double().numpy(), size[1], size[0], mode, align)
    assert torch.allclose(layer(x), torch.from_numpy(expected).float(), atol=1e-5)
    assert tuple(layer(x).shape[1:]) == layer.node.output.shape


@pytest.mark.parametrize("size", [(16, 5), (3, 12)])
def test_resize_is_torchs_where_torch_has_it(size):
    shape, target = (2, 4, 7, 8), (size[1], size[0])
    for mode, align in (("BilinearTF", 1), ("Bilinear", 1), ("Bilinear", 0)):
        layer = one(RESIZE.format(*size, mode, align), (8, 7, 4))
        checked(
            layer,
            shape,
            reference=lambda x, align=bool(align): functional.interpolate(
                x, target, mode="bilinear", align_corners=align
            ),
            tolerance=1e-5,
        )
    layer = one(RESIZE.format(*size, "NearestNeighbor", 0), (8, 7, 4))
    checked(layer, shape, reference=lambda x: functional.interpolate(x, target, mode="nearest"))


def test_resize_of_codes():
    nearest = one(RESIZE.format(16, 16, "NearestNeighbor", 0), (8, 8, 4))
    assert same_in_evaluation(nearest, codes(SHAPE, 0, 15)).grid == Grid(0.25, 0, 15)
    linear = one(RESIZE.format(16, 16, "BilinearTF", 0), (8, 8, 4))
    assert not linear.keeps_codes
    coded = same_in_evaluation(linear, codes(SHAPE, 0, 15))
    assert coded.grid == Grid(0.25 / 4, 0, 60)  # shares of 0 and 1/2 along both axes
    assert torch.equal(coded.values, coded.values.round())
