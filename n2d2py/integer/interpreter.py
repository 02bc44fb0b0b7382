"""The reference interpreter: what each integer operation means, in int64 numpy arrays.

This is the definition; every other executor is compared with it. :mod:`~n2d2py.integer.sums` says what sums of
products mean, :mod:`~n2d2py.integer.pointwise` all else.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.integer import pointwise, sums
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Convolution, Deconvolution, Edge, FullyConnected, MaxPool, Operation, SumPool


def run(network: IntegerNetwork, stimuli: np.ndarray, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The codes of every operation for a batch of stimuli codes, both int64 (batch, channels, [depth,] height, width).

    ``wanted`` limits what is kept; a float island gives float32. Raises ValueError for stimuli that are not codes
    of the network's input.
    """
    codes = _checked(network.stimuli, stimuli)
    values: dict[str, np.ndarray] = {PROVIDER: codes}
    kept: dict[str, np.ndarray] = {}
    last_use = {name: index for index, operation in enumerate(network) for name in operation.inputs}
    for index, operation in enumerate(network):
        inputs = [values[name] for name in operation.inputs]
        result = MEANING[type(operation)](operation, inputs, network.sources(operation), network.edges[operation.name])
        values[operation.name] = result
        if wanted is None or operation.name in wanted:
            kept[operation.name] = result
        for name in [*operation.inputs, operation.name]:
            if last_use.get(name, index) <= index:
                values.pop(name, None)
    return kept


def look_up(network: IntegerNetwork, pixels: np.ndarray) -> np.ndarray:
    """Codes of stimuli, for :func:`run`, from uint8 pixels (batch, channels, [depth,] height, width).

    Raises ValueError for a network without table, whose stimuli have their own codes.
    """
    if network.lookup is None:
        raise ValueError(f"{network.name} has no table of bytes")
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels of {pixels.dtype}, the table takes uint8")
    return network.lookup.codes(pixels)


def _checked(edge: Edge, stimuli: np.ndarray) -> np.ndarray:
    if stimuli.shape[1:] != edge.dims.shape:
        raise ValueError(f"stimuli of shape {stimuli.shape[1:]}, the network takes {edge.dims.shape}")
    codes = stimuli.astype(np.int64)
    if np.any(codes != stimuli):
        raise ValueError("stimuli are not integer codes")
    low, high = (end.reshape(-1, *[1] * (codes.ndim - 2)) for end in (edge.low, edge.high))
    if np.any((codes < low) | (codes > high)):
        raise ValueError(f"stimuli codes outside {int(edge.low.min())}..{int(edge.high.max())}")
    return codes


MEANING: dict[type[Operation], pointwise.Meaning] = {
    **pointwise.MEANING,
    Convolution: sums.convolution,
    Deconvolution: sums.deconvolution,
    FullyConnected: sums.fully_connected,
    MaxPool: sums.max_pool,
    SumPool: sums.sum_pool,
}
