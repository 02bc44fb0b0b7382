import torch

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 6, 3, 4)
NORMALIZE = "Type=Normalize\nNbOutputs=6\nNorm=L2\n"


def test_forward_and_gradient():
    layer = one(NORMALIZE, (4, 3, 6))
    y = checked(layer, SHAPE, reference=lambda x: x / (x.pow(2).sum(1, keepdim=True) + 1e-6).sqrt())
    assert torch.allclose(y.square().sum(1), torch.ones(2, 3, 4), atol=1e-3)


def test_a_pixel_of_zeros():
    x = torch.zeros(SHAPE, requires_grad=True)
    y = one(NORMALIZE, (4, 3, 6))(x)
    y.sum().backward()
    assert not y.any()
    assert torch.allclose(x.grad, torch.full(SHAPE, 1e3))


def test_evaluation_is_of_reals():
    assert same_in_evaluation(one(NORMALIZE, (4, 3, 6)), codes(SHAPE, 0, 15)).grid is None
