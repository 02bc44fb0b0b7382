"""Networks and exports for these tests."""

from __future__ import annotations

import numpy as np
from integer.learned import IMAGES, Images, lenet, network
from integer.networks import edge

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.export.base import Export
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Edge, FullyConnected, Requantization
from n2d2py.integer.ranges import sum_bounds
from n2d2py.integer.requantize import requantize
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Grid


def tiny() -> IntegerNetwork:
    """Three inputs, two neurons rescaled to 2 bits, one output: small enough to read."""
    weights = np.array([[1, -3, 3], [-1, 1, 1]])
    low, high = sum_bounds(weights, np.zeros(3, np.int64), np.full(3, 15), "fc1")
    sums = Edge("fc1:accumulator", Dims(1, 1, 2), Grid(1 / 45, int(low.min()), int(high.max())), low, high)

    def step(accumulators: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(accumulators / 10.0 + 0.3, 0, 3)).astype(np.int64)

    found = requantize(step, low, high, 3)
    last = np.array([[1, -1]])
    low, high = sum_bounds(last, np.zeros(2, np.int64), np.full(2, 3), "fc2")
    bias = np.array([5])
    edges = {
        PROVIDER: edge(PROVIDER, Dims(1, 1, 3), 0, 15),
        "fc1:accumulator": sums,
        "fc1": edge("fc1", Dims(1, 1, 2), 0, 3),
        "fc2": Edge("fc2", Dims(1, 1, 1), Grid(0.5, -1, 11), (low << 1) + bias, (high << 1) + bias),
    }
    operations = (
        FullyConnected("fc1:accumulator", "fc1", (PROVIDER,), weights, Grid(1 / 3, -3, 3, 2)),
        Requantization("fc1", "fc1", ("fc1:accumulator",), found.rescaling, found.proof),
        FullyConnected("fc2", "fc2", ("fc1",), last, Grid(1.0, -1, 1, 2), bias, 1),
    )
    return IntegerNetwork("tiny", operations, edges, {"fc1": "fc1", "fc2": "fc2"})


def tiny_export() -> Export:
    """The tiny network, eight stimuli, a target on its one output."""
    stimuli = np.random.default_rng(0).integers(0, 16, (8, 3, 1, 1))
    return Export(tiny(), b"[sp]\n", stimuli, (("fc2", 2.2),))


def made(text: str, count: int = 4, seed: int = 0) -> tuple[TorchNetwork, Export, Images]:
    """A learned network with random parameters, its export, and images."""
    learned = network(text, seed)
    batch = Images(learned, count, seed)
    assert batch.codes is not None
    stimuli = batch.codes.values.numpy().astype(np.int64)
    targets = tuple((name, 0.5) for name in learned.outputs)
    return learned, Export(lower(learned, IMAGES), text.encode(), stimuli, targets), batch


def made_lenet(weights: int = 15, activations: int = 15, count: int = 4) -> tuple[TorchNetwork, Export, Images]:
    """LeNet on images of 20x20."""
    return made(lenet(weights, activations), count)
