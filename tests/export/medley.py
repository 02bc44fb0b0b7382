"""Networks of one operation beside the other, all of random geometry, each of which takes the stimuli."""

from __future__ import annotations

from typing import Any

import numpy as np
from integer.networks import edge

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.export.base import Export
from n2d2py.integer import interpreter
from n2d2py.integer.arithmetic import Absolute, Alignment, Comparison, Maximum, Pieces, Product
from n2d2py.integer.movement import (
    Axis,
    Interpolation,
    Nearest,
    Pad,
    RegionMaximum,
    Reshaping,
    Transposition,
    Unpooling,
)
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import (
    Concatenation,
    Convolution,
    Deconvolution,
    Edge,
    FullyConnected,
    MaxPool,
    Operation,
    Rectification,
    SumPool,
)
from n2d2py.quant.grid import Grid

WEIGHTS = Grid(1.0, -8, 7)


class Medley:
    """A network that grows: the ranges of what is added are twice those that its stimuli reach."""

    def __init__(self, dims: Dims, largest: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.largest = largest
        self.edges: dict[str, Edge] = {PROVIDER: edge(PROVIDER, dims, -largest, largest)}
        self.operations: list[Operation] = []
        self.stimuli = self.random.integers(-largest, largest + 1, (2, *dims.shape))
        self.values = {PROVIDER: self.stimuli}

    def numbers(self, low: int, high: int, count: int) -> tuple[int, ...]:
        return tuple(self.random.integers(low, high + 1, count).tolist())

    def weights(self, *shape: int) -> np.ndarray:
        return self.random.integers(-8, 8, shape)

    def add(self, kind: type[Operation], dims: Dims | None, *parameters: Any, inputs: tuple[str, ...] = ()) -> str:
        """An operation on ``inputs`` (the stimuli); ``dims`` None: those that its windows give."""
        name = f"{kind.__name__.lower()}{len(self.operations)}"
        operation = kind(name, name, inputs or (PROVIDER,), *parameters)
        self.operations.append(operation)
        unknown = edge(name, dims or self._found(operation), 0, 0)
        sources = [self.edges[source] for source in operation.inputs]
        arrays = [self.values[source] for source in operation.inputs]
        self.values[name] = interpreter.MEANING[kind](operation, arrays, sources, unknown)
        most = 2 * int(np.abs(self.values[name]).max()) + 1
        self.edges[name] = edge(name, unknown.dims, -most, most)
        return name

    def _found(self, operation: Operation) -> Dims:
        """The dimensions of a window operation, by trying."""
        assert isinstance(operation, Convolution | MaxPool | SumPool)
        if isinstance(operation, Convolution):
            kernel, channels = operation.weights.shape[2:][::-1], len(operation.weights)
            dilation, sample = operation.dilation, operation.sub_sample
        else:
            kernel, dilation, sample = operation.pool, (1,) * 3, (1,) * 3
            channels = self.edges[PROVIDER].dims.channels if operation.mapping is None else operation.mapping.shape[1]
        dims = self.edges[operation.inputs[0]].dims
        sizes = (dims.width, dims.height, dims.depth)[: len(kernel)]
        along = zip(sizes, kernel, operation.stride, operation.padding, dilation, sample, strict=False)
        if isinstance(operation, Deconvolution):
            found = [(n - 1) * s + d * (k - 1) + 1 - 2 * p for n, k, s, p, d, _ in along]
        else:
            found = [-(-((n + 2 * p - d * (k - 1) - 1) // s + 1) // b) for n, k, s, p, d, b in along]
        width, height, *depth = found
        return Dims(width, height, channels, *depth)

    def export(self) -> Export:
        return Export(IntegerNetwork("medley", tuple(self.operations), self.edges, {}), b"", self.stimuli)


def only(export: Export, *kinds: type[Operation]) -> Export:
    """The operations of some kinds that take the stimuli, for one stimulus."""
    network = export.network
    kept = [op for op in network if isinstance(op, kinds) and op.inputs == (PROVIDER,)]
    edges = {name: network.edges[name] for name in (PROVIDER, *(operation.name for operation in kept))}
    return Export(IntegerNetwork("medley", tuple(kept), edges, {}), b"", export.stimuli[:1])


def flat(seed: int, largest: int) -> Export:
    """Every operation on maps."""
    made = Medley(Dims(9, 8, 4), largest, seed)
    groups = int(made.random.choice([1, 2, 4]))
    windows = [made.numbers(1, 2, 2), made.numbers(0, 2, 2), made.numbers(1, 2, 2)]
    made.add(Convolution, None, made.weights(4, 4 // groups, 3, 2), WEIGHTS, None, 0, *windows, (1, 2), groups)
    made.add(Convolution, None, made.weights(2, 4, 2, 2), WEIGHTS, np.array([5, -3]), 2, (1, 1), (-1, 1))
    made.add(Deconvolution, None, made.weights(4, 4 // groups, 3, 3), WEIGHTS, None, 0, (2, 1), (1, 0), (1, 2), (1, 1),
             groups)  # fmt: skip
    made.add(FullyConnected, Dims(1, 1, 3), made.weights(3, 288), WEIGHTS, np.array([1, 2, 3]), 1)
    mapping = made.random.random((4, 3)) < 0.6
    for kind in (MaxPool, SumPool):
        made.add(kind, None, (3, 2), (2, 1), made.numbers(0, 1, 2))
        made.add(kind, None, (2, 2), (1, 2), (0, 0), mapping)
    for pool, stride, padding in (((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 1), (1, 1))):
        pooled = made.add(MaxPool, None, pool, stride, padding)
        made.add(Unpooling, Dims(9, 8, 4), pool, stride, padding, inputs=(pooled, PROVIDER))
    made.add(RegionMaximum, Dims(3, 2, 4), ((0, 5), (4, 8)), ((0, 3), (3, 4), (2, 9)))
    made.add(Interpolation, Dims(5, 6, 4), *(_axis(made, *sizes) for sizes in ((6, 8, 3), (5, 9, 2))))
    made.add(Nearest, Dims(5, 3, 4), np.array([0, 7, 2]), np.array(made.numbers(0, 8, 5)))
    made.add(Pad, Dims(9, 9, 4), 2, -2, -1, 2)
    made.add(Transposition, Dims(4, 9, 8), (0, 2, 3, 1))
    shaped = made.add(Reshaping, Dims(6, 12, 4))
    made.add(Rectification, Dims(6, 12, 4), inputs=(shaped,))
    made.add(Absolute, Dims(9, 8, 4))
    made.add(Pieces, Dims(9, 8, 4), 13, 7, -100, 900)
    for kind in ("Binary", "BinaryInverted", "ToZero", "ToZeroInverted"):
        made.add(Comparison, Dims(9, 8, 4), kind, -3, 11)
    one = made.add(SumPool, Dims(1, 1, 4), (9, 8), (1, 1), (0, 0))
    made.add(Maximum, Dims(9, 8, 4), inputs=(PROVIDER, one))
    made.add(Product, Dims(9, 8, 4), inputs=(PROVIDER, one))
    made.add(Concatenation, Dims(9, 8, 8), inputs=(PROVIDER, one))
    made.add(Concatenation, Dims(1, 1, 292), True, inputs=(PROVIDER, one))
    factors = (made.random.integers(-(1 << 34), 1 << 34, (4, 1, 1)), made.random.integers(-9, 9, ()))
    made.add(Alignment, Dims(9, 8, 4), factors, np.array(1 << 19), (0, 3), 20, inputs=(PROVIDER, one))
    return made.export()


def deep(seed: int, largest: int) -> Export:
    """Operations with three axes of places."""
    made = Medley(Dims(6, 5, 2, 4), largest, seed)
    made.add(
        Convolution, None, made.weights(4, 2, 3, 2, 3), WEIGHTS, None, 0, (2, 1, 1), (1, 0, 1), (1, 1, 1), (1,) * 3
    )
    ones, zeros = (1, 1, 1), (0, 0, 0)
    made.add(Convolution, None, made.weights(2, 2, 4, 2, 2), WEIGHTS, np.array([1, 2]), 1, ones, zeros, ones, ones)
    made.add(
        Deconvolution, None, made.weights(2, 2, 2, 3, 2), WEIGHTS, None, 0, (2, 1, 2), (0, 1, 1), (1, 2, 1), (1,) * 3
    )
    for kind in (MaxPool, SumPool):
        made.add(kind, None, (2, 3, 2), (1, 2, 2), (0, 1, 1))
        made.add(kind, None, (6, 5, 4), (1, 1, 1), (0, 0, 0))
    made.add(FullyConnected, Dims(1, 1, 2), made.weights(2, 240), WEIGHTS)
    made.add(Pad, Dims(7, 4, 2, 4), 1, 0, -1, 0)
    made.add(Transposition, Dims(4, 5, 6, 2), (0, 4, 1, 3, 2))
    one = made.add(SumPool, Dims(1, 1, 2), (6, 5, 4), (1, 1, 1), (0, 0, 0))
    made.add(Maximum, Dims(6, 5, 2, 4), inputs=(PROVIDER, one))
    made.add(Concatenation, Dims(6, 5, 4, 4), inputs=(PROVIDER, one))
    factors = (made.random.integers(-9, 9, (2, 1, 1, 1)), made.random.integers(-9, 9, ()))
    biases = made.random.integers(-99, 99, (2, 4, 5, 6))
    made.add(Alignment, Dims(6, 5, 2, 4), factors, biases, (0, 1), 2, inputs=(PROVIDER, one))
    return made.export()


def _axis(made: Medley, count: int, size: int, bits: int) -> Axis:
    low, high = (np.array(made.numbers(0, size - 1, count)) for _ in range(2))
    return Axis(low, high, np.array(made.numbers(0, 1 << bits, count)), bits)


def differing(export: Export, codes: dict[str, np.ndarray]) -> dict[str, int]:
    """How many codes of each operation are not those of the interpreter."""
    right = interpreter.run(export.network, export.stimuli)
    return {name: int(np.count_nonzero(codes[name] != right[name])) for name in codes}
