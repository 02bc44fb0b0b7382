"""Small networks from INI text, for the tests of the layers."""

import torch

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid

PIXELS = Grid(1 / 255, 0, 255)


def network(cells, size=(8, 8, 2)):
    """A filled network on stimuli of ``size`` (width, height, [depth,] channels)."""
    head = f"DefaultModel=Frame\n[env]\nSize={' '.join(map(str, size))}\nBatchSize=4\n"
    made = TorchNetwork(build(ini.loads(head + cells, file="net.ini"), "net.ini"))
    made.fill(1)
    return made


def one(section, size=(8, 8, 2), inputs="env"):
    """The layer of a network of one cell, called c."""
    return network(f"[c]\nInput={inputs}\n{section}\n", size).layers["c"]


def pixels(size=(8, 8, 2), batch=4, seed=0):
    """Coded stimuli 0..255."""
    generator = torch.Generator().manual_seed(seed)
    return Coded(torch.randint(0, 256, (batch, size[2], size[1], size[0]), generator=generator).float(), PIXELS)


def randomize(network, seed=3):
    """Make every BatchNorm and bias say something, negative and zero scales included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for items in network.stored().values():
            for item in items:
                if item.name == "scales":
                    item.tensor.normal_(0.5, 1.0, generator=generator)
                    item.tensor[0] = 0.0
                elif item.name in ("biases", "means"):
                    item.tensor.normal_(0.0, 0.5, generator=generator)
                elif item.name == "variances":
                    item.tensor.uniform_(0.0, 2.0, generator=generator)
    return network


LENET = """
[Weighted]
QWeight=SAT
QWeight.Range=15
ActivationFunction=Linear
[Bn]
Type=BatchNorm
ActivationFunction=Linear
QAct=SAT
QAct.Alpha=4.0
QAct.Range=15
[conv1] Weighted
Type=Conv
Input=env
KernelSize=3
NbOutputs=4
QWeight.Range=255
NoBias={no_bias}
[bn1] Bn
Input=conv1
NbOutputs=4
[pool1]
Type=Pool
Input=bn1
NbOutputs=4
Pooling=Max
PoolSize=2
Stride=2
Mapping.Size=1
[drop]
Type=Dropout
Input=pool1
NbOutputs=4
[fc1] Weighted
Type=Fc
Input=drop
NbOutputs=6
QWeight.ApplyScaling=1
QWeight.Mode={mode}
NoBias={no_bias}
[fc2] Weighted
Type=Fc
Input=fc1
NbOutputs=3
QWeight.ApplyScaling=1
QWeight.Range=255
NoBias={no_bias}
[softmax]
Type=Softmax
Input=fc2
NbOutputs=3
WithLoss=1
[softmax.Target]
"""


def lenet(no_bias=1, mode="Default"):
    """A small quantized network with all kinds of cells."""
    return randomize(network(LENET.format(no_bias=no_bias, mode=mode)))


def checked(layer, *shapes, reference, tolerance=1e-6, seed=0):
    """Compare output and gradients of a layer in learning with those of ``reference``; returns the output."""
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]
    copies = [x.detach().clone().requires_grad_() for x in inputs]
    y, expected = layer(*inputs), reference(*copies)
    assert y.shape == expected.shape
    assert tuple(y.shape[1:]) == layer.node.output.shape
    assert torch.allclose(y, expected, rtol=1e-5, atol=tolerance)
    share = torch.randn(y.shape, generator=generator)
    for mine, theirs in zip(
        torch.autograd.grad(y, inputs, share, allow_unused=True),
        torch.autograd.grad(expected, copies, share, allow_unused=True),
        strict=True,
    ):
        assert (mine is None) == (theirs is None)
        assert mine is None or torch.allclose(mine, theirs, rtol=1e-5, atol=10 * tolerance)
    return y.detach()


def same_in_evaluation(layer, *inputs, tolerance=1e-5):
    """The codes of an evaluation are on their grid, and what ``forward`` gives of the same values; returns it."""
    coded = layer.eval().evaluate(*inputs)
    expected = layer(*(x.real() for x in inputs)).detach()
    assert torch.allclose(coded.real(), expected, rtol=1e-5, atol=tolerance)
    if coded.grid is not None:
        grid = coded.grid
        assert torch.equal(coded.values, coded.values.round())
        assert grid.low <= float(coded.values.min())
        assert float(coded.values.max()) <= grid.high
        assert torch.equal((coded.values - grid.low) % grid.step, torch.zeros_like(coded.values))
    return coded


def two(section, size=(8, 8, 4), points=False):
    """The layer c on two inputs of the same size, or the second of 1x1."""
    second = (
        f"[b]\nType=Fc\nInput=env\nNbOutputs={size[-1]}\n"
        if points
        else f"[b]\nType=Activation\nActivationFunction=Linear\nInput=env\nNbOutputs={size[-1]}\n"
    )
    return network(second + f"[c]\nInput=env,b\nNbOutputs={size[-1]}\n{section}\n", size).layers["c"]


def codes(shape, low, high, scale=0.25, step=1, seed=0):
    """Random codes low, low + step .. high."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, (high - low) // step + 1, shape, generator=generator) * step + low
    return Coded(values.float(), Grid(scale, low, high, step))
