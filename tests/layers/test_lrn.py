import numpy as np
import pytest
import torch
from torch.nn import functional

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 6, 3, 4)


def slow(x, size, alpha, beta, k):
    """One channel at a time; of an even number of channels one more lies before it than after it."""
    result = np.zeros_like(x)
    for channel in range(x.shape[1]):
        first, last = channel - size // 2, channel + (size - 1) // 2
        around = x[:, max(first, 0) : last + 1]
        result[:, channel] = x[:, channel] / (k + alpha / size * (around**2).sum(1)) ** beta
    return result


@pytest.mark.parametrize("size", [1, 3, 4, 5, 9])
def test_against_a_slow_reference(size):
    layer = one(f"Type=LRN\nNbOutputs=6\nN={size}\nAlpha=0.3\nBeta=0.6\nK=1.5\n", (4, 3, 6))
    x = torch.randn(SHAPE)
    expected = slow(x.double().numpy(), size, 0.3, 0.6, 1.5)
    assert torch.allclose(layer(x), torch.from_numpy(expected).float(), atol=1e-6)
    checked(layer, SHAPE, reference=lambda x: functional.local_response_norm(x, size, 0.3, 0.6, 1.5))


def test_evaluation_is_of_reals():
    layer = one("Type=LRN\nNbOutputs=6\n", (4, 3, 6))
    assert same_in_evaluation(layer, codes(SHAPE, 0, 15)).grid is None
