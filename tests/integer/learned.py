"""Learned quantized networks with random, trained-looking parameters, built from text like a user's."""

from __future__ import annotations

import numpy as np
import torch

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded, Grid

IMAGES = Grid(1 / 255, 0, 255)


class Images:
    """A batch of random 8-bit images, float inputs as the data room makes them."""

    def __init__(self, network: TorchNetwork, count: int, seed: int = 0) -> None:
        values = np.random.default_rng(seed).integers(0, 256, (count, *network.network.stimuli.shape))
        self.codes: Coded | None = Coded(torch.from_numpy(values).float(), IMAGES)
        self.inputs = self.codes.values / 255.0


def network(text: str, seed: int = 0, gammas: str = "mixed") -> TorchNetwork:
    """The torch network of an INI text, its parameters drawn as :func:`randomise` says."""
    result = TorchNetwork(build(ini.loads(text, file="net.ini"), "net"))
    randomise(result, seed, gammas)
    return result.eval()


def randomise(learned: TorchNetwork, seed: int, gammas: str = "mixed") -> None:
    """Weights ~ N(0, 0.3); BatchNorm statistics measured on random images, so that activations are alive.

    ``gammas``: "mixed" has negative, zero and tiny scales, variances 0 and 1e-13, large and negative biases.
    """
    generator = torch.Generator().manual_seed(seed)
    learned.fill(generator)

    def normal(like: torch.Tensor, deviation: float = 1.0, mean: float = 0.0) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator) * deviation + mean

    values = {"env": Images(learned, 16, seed).inputs}
    with torch.no_grad():
        for name, layer in learned.eval().layers.items():
            inputs = [values[parent] for parent in layer.node.parents]
            if isinstance(layer, WeightedLayer):
                layer.weights.copy_(normal(layer.weights, 0.3))
                if layer.biases is not None:
                    layer.biases.copy_(normal(layer.biases, 0.3))
            if isinstance(layer, BatchNormLayer):
                x = torch.cat(inputs, dim=1)
                places = (0, *range(2, x.dim()))
                layer.means.copy_(x.mean(places) + normal(layer.means, 0.1))
                layer.variances.copy_(x.var(places).nan_to_num() * (1 + 0.2 * normal(layer.means).abs()))
                layer.scales.copy_(normal(layer.scales, 0.4, 1.0))
                layer.biases.copy_(normal(layer.biases, 0.7, 0.5))
                if gammas == "mixed":
                    _disturb(layer, generator)
            values[name] = layer(*inputs)


def _disturb(layer: BatchNormLayer, generator: torch.Generator) -> None:
    for channel in range(len(layer.scales)):
        kind = int(torch.randint(0, 10, (1,), generator=generator))
        if kind in (1, 2):
            layer.scales[channel] *= -1
        elif kind == 3:
            layer.scales[channel] = 0.0
        elif kind == 4:
            layer.scales[channel] = 1e-9
        elif kind == 5:
            layer.variances[channel] = 0.0
        elif kind == 6:
            layer.variances[channel] = 1e-13
        elif kind == 7:
            layer.biases[channel] = 30.0


LENET = """
DefaultModel=Frame
[sp]
SizeX={size}
SizeY={size}
BatchSize=8
[conv1]
Input=sp
Type=Conv
KernelSize=5
NbOutputs=6
QWeight=SAT
QWeight.Range=255
NoBias=1
[bn1]
Input=conv1
Type=BatchNorm
NbOutputs=6
ActivationFunction=Linear
QAct=SAT
QAct.Range={activations}
QAct.Alpha=3.0
[pool1]
Input=bn1
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=6
Mapping.Size=1
[conv2]
Input=pool1
Type=Conv
KernelSize=5
NbOutputs=16
QWeight=SAT
QWeight.Range={weights}
NoBias=1
[bn2]
Input=conv2
Type=BatchNorm
NbOutputs=16
ActivationFunction=Linear
QAct=SAT
QAct.Range={activations}
QAct.Alpha=3.0
[pool2]
Input=bn2
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=16
Mapping.Size=1
[fc1]
Input=pool2
Type=Fc
NbOutputs=24
ActivationFunction=Linear
QWeight=SAT
QWeight.Range={weights}
QWeight.ApplyScaling=1
NoBias=1
[drop]
Input=fc1
Type=Dropout
NbOutputs=24
[fc2]
Input=drop
Type=Fc
NbOutputs=10
ActivationFunction=Linear
QWeight=SAT
QWeight.Range=255
QWeight.ApplyScaling=1
[softmax]
Input=fc2
Type=Softmax
NbOutputs=10
WithLoss=1
[softmax.Target]
"""


def lenet(weights: int = 15, activations: int = 15, size: int = 20) -> str:
    """The tutorial's network on smaller images."""
    return LENET.format(weights=weights, activations=activations, size=size)
