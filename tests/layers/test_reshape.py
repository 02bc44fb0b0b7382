from n2d2py.quant.grid import Grid

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 4, 8, 8)


def test_reshape():
    layer = one("Type=Reshape\nNbOutputs=2\nDims=0 16 -1", (8, 8, 4))
    checked(layer, SHAPE, reference=lambda x: x.reshape(2, 2, 16, 8))
    assert same_in_evaluation(layer, codes(SHAPE, 0, 15)).grid == Grid(0.25, 0, 15)
    space = one("Type=Reshape\nNbOutputs=4\nDims=4 4 4 4", (8, 8, 4))
    checked(space, SHAPE, reference=lambda x: x.reshape(2, 4, 4, 4, 4))
