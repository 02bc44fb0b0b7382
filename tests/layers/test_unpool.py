import pytest
import torch
from torch.nn import functional

from n2d2py.errors import GraphError
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid
from n2d2py.quant.levels import with_zero

from .networks import network, pixels

NET = """
[pool]
Type=Pool
Input=env
NbOutputs=2
Pooling=Max
PoolSize={window}
Stride={stride}
Padding={padding}
Mapping.Size=1
[c]
Type=Unpool
Input=pool
NbOutputs=2
PoolSize={window}
Stride={stride}
Padding={padding}
ArgMax=pool
"""


@pytest.mark.parametrize("size", [(8, 8, 2), (9, 7, 2)])
def test_is_torchs(size):
    made = network(NET.format(window=2, stride=2, padding=0), size)
    x = torch.randn(3, 2, size[1], size[0], requires_grad=True)
    copy = x.detach().clone().requires_grad_()
    y = made(x)["c"]
    pooled, index = functional.max_pool2d(copy, 2, 2, return_indices=True)
    whole = functional.max_unpool2d(pooled, index, 2, 2, output_size=copy.shape[2:])
    expected = whole[:, :, : y.shape[2], : y.shape[3]]
    assert torch.equal(y, expected)
    assert tuple(y.shape[1:]) == made.layers["c"].node.output.shape
    share = torch.randn(y.shape)
    assert torch.equal(
        *(torch.autograd.grad(value, start, share)[0] for value, start in ((y, x), (expected, copy)))
    )


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_windows_that_overlap(padding):
    made = network(NET.format(window=3, stride=2, padding=padding), (9, 9, 2))
    x = torch.randn(2, 2, 9, 9)
    y = made(x)["c"]
    padded = functional.pad(x, (padding,) * 4, value=-torch.inf)
    pooled, index = functional.max_pool2d(padded, 3, 2, return_indices=True)
    expected = torch.zeros_like(y)
    for image, channel, row, column in torch.cartesian_prod(*(torch.arange(n) for n in pooled.shape)).tolist():
        place = int(index[image, channel, row, column])
        at = place // padded.shape[3] - padding, place % padded.shape[3] - padding
        if at[0] < y.shape[2] and at[1] < y.shape[3]:
            expected[image, channel, at[0], at[1]] = pooled[image, channel, row, column]
    assert torch.equal(y, expected)


def test_three_axes():
    text = NET.replace("PoolSize={window}", "PoolDims=2 2 2")
    made = network(text.format(stride=2, padding=0), (6, 4, 8, 2))
    x = torch.randn(2, 2, 8, 4, 6)
    pooled, index = functional.max_pool3d(x, 2, 2, return_indices=True)
    assert torch.equal(made(x)["c"], functional.max_unpool3d(pooled, index, 2, 2))


def test_codes():
    made = network(NET.format(window=2, stride=2, padding=0))
    stimuli = pixels()
    results = made.evaluate(stimuli)
    assert results["c"].grid == Grid(1 / 255, 0, 255)
    assert torch.equal(results["c"].values, made(stimuli.values)["c"])
    shifted = made.evaluate(Coded(stimuli.values + 3, Grid(1.0, 3, 258)))
    assert shifted["c"].grid == with_zero(Grid(1.0, 3, 258))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (NET.replace("Pooling=Max", "Pooling=Average"), "pool is no Pool cell that takes the maximum"),
        (NET.replace("Mapping.Size=1\n", ""), "pool is no Pool cell that takes the maximum"),
        (NET.replace("Input=pool", "Input=env"), "refers to pool, which does not come before it"),
        (
            NET.replace("Input=pool", "Input=mid")
            + "[mid]\nType=Padding\nInput=pool\nNbOutputs=2\nTopPadding=1\n",
            "pool gives 4 4 2, the input is 4 5 2",
        ),
    ],
)
def test_a_pool_that_does_not_suit(text, why):
    with pytest.raises(GraphError, match=why):
        network(text.format(window=2, stride=2, padding=0))


def test_the_pool_is_listed_once():
    made = network(NET.format(window=2, stride=2, padding=0))
    assert isinstance(made, TorchNetwork)
    assert len(list(made.modules())) == len({id(module) for module in made.modules()}) == 4
