import pytest
import torch
from torch.nn import functional

from n2d2py.layers.maxpool import max_pool


@pytest.mark.parametrize("shape", [(3, 2, 28, 28), (2, 3, 7, 9), (1, 1, 2, 2), (2, 2, 5, 4)])
def test_two_by_two_is_torch_s_maximum_ties_included(shape):
    x = torch.randint(0, 3, shape, generator=torch.Generator().manual_seed(1)).float()
    left, right = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, theirs = max_pool(left, (2, 2), (2, 2), (0, 0)), functional.max_pool2d(right, 2)
    gradient = torch.randn_like(ours)
    ours.backward(gradient)
    theirs.backward(gradient)
    assert torch.equal(ours, theirs)
    assert torch.equal(left.grad, right.grad)


def test_two_by_two_takes_gradients_that_are_expanded():
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    max_pool(x, (2, 2), (2, 2), (0, 0)).sum().backward()
    assert x.grad.sum() == 2 * 3 * 4


@pytest.mark.parametrize(
    ("window", "stride", "padding"), [((3, 3), (2, 2), (1, 1)), ((2, 3), (1, 2), (0, 0)), ((2, 2), (2, 2), (1, 0))]
)
def test_other_windows_are_torch_s(window, stride, padding):
    x = torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(2))
    assert torch.equal(max_pool(x, window, stride, padding), functional.max_pool2d(x, window, stride, padding))


def test_any_memory_order():
    x = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(3))
    other = x.to(memory_format=torch.channels_last)
    assert torch.equal(max_pool(other, (2, 2), (2, 2), (0, 0)), max_pool(x, (2, 2), (2, 2), (0, 0)))
