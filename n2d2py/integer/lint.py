"""What must hold in every integer network: a table of rules, each said in a sentence when it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.integer.arithmetic import Alignment, FloatBits, Maximum
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Concatenation, Convolution, FullyConnected, Operation, Requantization, Weighted
from n2d2py.integer.ranges import WIDEST


def lint(network: IntegerNetwork) -> None:
    """Raise :class:`IntegerError` with the first rule that does not hold, the operation, and the network's text."""
    for operation in network:
        for rule in RULES:
            for broken in rule(network, operation):
                raise IntegerError(
                    f"the integer network is not well-formed at {operation.name}: {broken}\n{network.text()}"
                )


def _order(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    before = [PROVIDER, *(other.name for other in network.operations[: network.operations.index(operation)])]
    yield from (f"takes {name}, which is not computed before it" for name in operation.inputs if name not in before)
    if operation.name in before:
        yield "its name is taken"
    if operation.name not in network.edges:
        yield "it has no edge"


def _edges(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    edge = network.edges[operation.name]
    if edge.low.shape != (edge.dims.channels,) or edge.high.shape != (edge.dims.channels,):
        yield "its edge has not one range a channel"
    elif edge.grid is not None and np.any(edge.low > edge.high):
        yield "a range is empty"
    elif edge.grid is not None and edge.magnitude >= WIDEST:
        yield "its codes do not fit 62 bits"
    if edge.grid is not None and not (np.isfinite(edge.grid.scale) and edge.grid.scale > 0):
        yield f"its scale is {edge.grid.scale}"


def _islands(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    real = [edge.name for edge in network.sources(operation) if edge.grid is None]
    if real and network.edges[operation.name].grid is not None and not isinstance(operation, FloatBits):
        yield f"it makes codes of the real values of {real[0]}"


def _weights(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    if not isinstance(operation, Weighted):
        return
    weights, grid = operation.weights, operation.weights_grid
    if weights.dtype != np.int64 or (operation.bias is not None and operation.bias.dtype != np.int64):
        yield "weights and bias are not int64"
    on_grid = (weights >= grid.low) & (weights <= grid.high) & ((weights - grid.low) % grid.step == 0)
    if grid.uneven:
        on_grid = np.isin(weights, grid.uneven)
    absent = np.zeros_like(on_grid) if operation.connected is None else ~operation.connected
    if not np.all(on_grid | absent):
        yield f"a weight is not on the grid {grid.low}..{grid.high} by {grid.step}"
    if np.any(weights[absent]):
        yield "an absent connection has a weight"
    source = network.sources(operation)[0].dims
    if isinstance(operation, FullyConnected) and weights.shape[1] != source.size:
        yield f"{weights.shape[1]} weights an output meet {source.size} inputs"
    if isinstance(operation, Convolution) and weights.shape[1] * operation.groups != source.channels:
        yield f"{operation.groups} groups of {weights.shape[1]} channels meet {source.channels}"
    if weights.shape[0] != network.edges[operation.name].dims.channels:
        yield f"{weights.shape[0]} rows of weights give {network.edges[operation.name].dims.channels} outputs"


def _rescalings(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    if not isinstance(operation, Requantization):
        return
    source, rescaling = network.sources(operation)[0], operation.rescaling
    if rescaling.channels != source.dims.channels:
        yield f"{rescaling.channels} multipliers meet {source.dims.channels} channels"
    elif wrong := rescaling.overflows(source.low, source.high):
        yield f"channel {wrong[0]} overflows 64 bits"
    grid = network.edges[operation.name].grid
    if grid is not None and grid.levels != rescaling.highest + 1:
        yield f"{rescaling.highest + 1} numbers stand for {grid.levels} levels"


def _alignments(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    if not isinstance(operation, Alignment):
        return
    most = int(np.abs(operation.biases).max(initial=0))
    for edge, multipliers, bits in zip(
        network.sources(operation), operation.multipliers, operation.pre_shifts, strict=True
    ):
        most += ((edge.magnitude >> bits) + 1) * int(np.abs(multipliers).max(initial=0))
    if most >= 1 << 63:
        yield "its sums do not fit 64 bits"


def _concatenations(network: IntegerNetwork, operation: Operation) -> Iterator[str]:
    if isinstance(operation, Concatenation | Maximum):
        scales = {edge.grid.scale for edge in network.sources(operation) if edge.grid is not None}
        if len(scales) != 1:
            yield "its inputs have different scales"


RULES: tuple[Callable[[IntegerNetwork, Operation], Iterator[str]], ...] = (
    _order,
    _edges,
    _islands,
    _weights,
    _rescalings,
    _alignments,
    _concatenations,
)
