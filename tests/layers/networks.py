"""Small networks from INI text, for the tests of the layers."""

import torch

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid

PIXELS = Grid(1 / 255, 0, 255)


def network(cells, size=(8, 8, 2)):
    """A filled network on stimuli of ``size`` (width, height, channels)."""
    width, height, channels = size
    head = f"DefaultModel=Frame\n[env]\nSizeX={width}\nSizeY={height}\nNbChannels={channels}\nBatchSize=4\n"
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
