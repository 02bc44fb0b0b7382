"""Small integer networks made by hand, without any learned network behind them."""

from __future__ import annotations

import numpy as np

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import (
    Convolution,
    Edge,
    FullyConnected,
    MaxPool,
    Operation,
    Requantization,
    Softmax,
    SumPool,
)
from n2d2py.integer.ranges import sum_bounds
from n2d2py.integer.requantize import requantize
from n2d2py.quant.grid import Grid


def edge(name: str, dims: Dims, low: int, high: int, scale: float = 1.0) -> Edge:
    """An edge with the same range in all channels."""
    return Edge(
        name,
        dims,
        Grid(scale, low, high),
        np.full(dims.channels, low, dtype=np.int64),
        np.full(dims.channels, high, dtype=np.int64),
    )


def single(operation: Operation, source: Edge, result: Edge) -> IntegerNetwork:
    """A network of one operation."""
    return IntegerNetwork("single", (operation,), {PROVIDER: source, operation.name: result}, {})


def lenet_like(seed: int = 0) -> IntegerNetwork:
    """conv + bn, max pool, grouped conv + bn, sum pool, fc, softmax, on 2x12x12 stimuli of 8 bits."""
    random = np.random.default_rng(seed)
    stimuli = edge(PROVIDER, Dims(12, 12, 2), 0, 255, 1 / 255)
    edges, operations = {PROVIDER: stimuli}, []

    def add(operation: Operation, result: Edge) -> None:
        operations.append(operation)
        edges[operation.name] = result

    def convolution(name: str, source: str, outputs: int, kernel: int, groups: int, padding: int) -> None:
        dims = edges[source].dims
        weights = random.choice(np.arange(-15, 16, 2), (outputs, dims.channels // groups, kernel, kernel))
        high = np.full(weights[0].size, int(edges[source].high.max()))
        low, high = sum_bounds(weights.reshape(outputs, -1), np.zeros_like(high), high, name)
        size = dims.width + 2 * padding - kernel + 1
        grid = Grid(edges[source].grid.scale / 15, int(low.min()), int(high.max()))
        add(
            Convolution(
                name, name, (source,), weights, Grid(1 / 15, -15, 15, 2), padding=(padding, padding), groups=groups
            ),
            Edge(name, Dims(size, size, outputs), grid, low, high),
        )

    def activation(name: str, source: str, highest: int, mode: str = "Floating-point") -> None:
        before = edges[source]
        channels, scale, alpha = before.dims.channels, before.grid.scale, 3.7
        factor, mean = random.normal(0, 1, (channels, 1)), random.normal(0, 0.3, (channels, 1))

        def step(acc: np.ndarray) -> np.ndarray:
            y = (acc.astype(np.float64) * scale - mean) * factor + 0.5
            return np.rint(np.clip(y, 0, alpha) * (highest / alpha)).astype(np.int64)

        found = requantize(step, before.low, before.high, highest, mode)
        add(
            Requantization(name, name, (source,), found.rescaling, found.proof, mode),
            edge(name, before.dims, 0, highest, alpha / highest),
        )

    convolution("conv1", PROVIDER, 6, 3, 1, 1)
    activation("bn1", "conv1", 15)
    add(MaxPool("pool1", "pool1", ("bn1",), (2, 2), (2, 2), (0, 0)), edge("pool1", Dims(6, 6, 6), 0, 15, 3.7 / 15))
    convolution("conv2", "pool1", 8, 3, 2, 0)
    activation("bn2", "conv2", 15, "Fixed-point16")
    mapping = np.ones((8, 8), dtype=bool)
    mapping[np.arange(8), np.arange(8)[::-1]] = False
    pool = SumPool("pool2", "pool2", ("bn2",), (2, 2), (2, 2), (0, 0), mapping)
    add(pool, edge("pool2", Dims(2, 2, 8), 0, 15 * pool.area, 3.7 / 15 / pool.area))
    weights, bias = random.integers(-127, 128, (10, 32)), random.integers(-1000, 1000, 10)
    low, high = sum_bounds(weights, np.zeros(32, np.int64), np.full(32, 15 * pool.area), "fc")
    low, high = (low << 3) + bias, (high << 3) + bias
    scale = 3.7 / 15 / pool.area / 127
    add(
        FullyConnected("fc", "fc", ("pool2",), weights, Grid(1 / 127, -127, 127), bias, 3),
        Edge("fc", Dims(1, 1, 10), Grid(scale / 8, int(low.min()), int(high.max())), low, high),
    )
    real = np.zeros(10, dtype=np.int64)
    add(Softmax("softmax", "softmax", ("fc",), scale / 8), Edge("softmax", Dims(1, 1, 10), None, real, real))
    return IntegerNetwork("lenet_like", tuple(operations), edges, {name: name for name in edges if name != PROVIDER})


def stimuli(network: IntegerNetwork, count: int, seed: int = 1) -> np.ndarray:
    """Random codes for a network's input."""
    channels, height, width = network.stimuli.dims.shape
    return np.random.default_rng(seed).integers(0, 256, (count, channels, height, width))
