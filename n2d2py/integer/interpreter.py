"""The reference interpreter: what each integer operation means, in int64 numpy arrays.

Sums of products go through floating-point BLAS where the ranges prove that this changes nothing: if the sum of
|weight * code| over one output stays below 2^24 (float32) or 2^53 (float64), then every product and every partial
sum, in whatever order and with or without fused multiply-add, is an integer below that bound, which the type holds
exactly. Wider sums are taken in int64.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from n2d2py.cells.base import PROVIDER
from n2d2py.integer.network import (
    Concatenation,
    Convolution,
    Edge,
    FullyConnected,
    Identity,
    IntegerNetwork,
    MaxPool,
    Operation,
    Pooling,
    Rectification,
    Requantization,
    Softmax,
    SumPool,
    Weighted,
)


def run(network: IntegerNetwork, stimuli: np.ndarray, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The codes of every operation for a batch of stimuli codes, both int64 (batch, channels, height, width).

    ``wanted`` limits what is kept; a float island gives float64. Raises ValueError for stimuli that are not codes
    of the network's input.
    """
    codes = _checked(network.stimuli, stimuli)
    values: dict[str, np.ndarray] = {PROVIDER: codes}
    kept: dict[str, np.ndarray] = {}
    last_use = {name: index for index, operation in enumerate(network) for name in operation.inputs}
    for index, operation in enumerate(network):
        inputs = [values[name] for name in operation.inputs]
        result = _MEANING[type(operation)](operation, inputs, network.sources(operation))
        values[operation.name] = result
        if wanted is None or operation.name in wanted:
            kept[operation.name] = result
        for name in [*operation.inputs, operation.name]:
            if last_use.get(name, index) <= index:
                values.pop(name, None)
    return kept


def _checked(edge: Edge, stimuli: np.ndarray) -> np.ndarray:
    width, height, channels = edge.dims
    if stimuli.shape[1:] != (channels, height, width):
        raise ValueError(f"stimuli of shape {stimuli.shape[1:]}, the network takes {(channels, height, width)}")
    codes = stimuli.astype(np.int64)
    if np.any(codes != stimuli):
        raise ValueError("stimuli are not integer codes")
    low, high = edge.low[:, None, None], edge.high[:, None, None]
    if np.any((codes < low) | (codes > high)):
        raise ValueError(f"stimuli codes outside {int(edge.low.min())}..{int(edge.high.max())}")
    return codes


def _exact_type(weights: np.ndarray, edge: Edge) -> Any:
    """The cheapest type in which sums of weight * code, along the last axis of ``weights``, are exact."""
    bound = int(np.abs(weights).sum(axis=-1).max(initial=0)) * edge.magnitude
    return np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64


def _padded(codes: np.ndarray, x: int, y: int, outside: int) -> np.ndarray:
    """``outside`` on both sides of the last two axes; a negative padding crops."""
    codes = codes[:, :, max(0, -y) : codes.shape[2] - max(0, -y), max(0, -x) : codes.shape[3] - max(0, -x)]
    return np.pad(codes, ((0, 0), (0, 0), (max(0, y),) * 2, (max(0, x),) * 2), constant_values=outside)


def _with_bias(operation: Weighted, sums: np.ndarray) -> np.ndarray:
    if operation.bias is None:
        return sums
    shape = (1, -1, *([1] * (sums.ndim - 2)))
    return (sums << operation.bias_shift) + operation.bias.reshape(shape)


def _convolution(operation: Convolution, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    groups = operation.groups
    outputs, channels, height, width = operation.weights.shape
    (sx, sy), (px, py), (dx, dy) = operation.stride, operation.padding, operation.dilation
    kind = _exact_type(operation.weights.reshape(outputs, -1), edges[0])
    padded = _padded(inputs[0].astype(kind), px, py, 0)
    windows = sliding_window_view(padded, (dy * (height - 1) + 1, dx * (width - 1) + 1), axis=(2, 3))
    windows = windows[:, :, ::sy, ::sx, ::dy, ::dx]
    windows = windows[:, :, :: operation.sub_sample[1], :: operation.sub_sample[0]]
    batch, _, rows, columns = windows.shape[:4]
    # (batch, groups, taps, places) times (groups, outputs, taps) = (batch, groups, outputs, places)
    taken = windows.transpose(0, 1, 4, 5, 2, 3).reshape(batch, groups, channels * height * width, rows * columns)
    sums = operation.weights.reshape(groups, outputs // groups, -1).astype(kind) @ taken
    return _with_bias(operation, sums.astype(np.int64).reshape(batch, outputs, rows, columns))


def _fully_connected(operation: FullyConnected, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    kind = _exact_type(operation.weights, edges[0])
    sums = inputs[0].reshape(len(inputs[0]), -1).astype(kind) @ operation.weights.T.astype(kind)
    return _with_bias(operation, sums.astype(np.int64))[:, :, None, None]


def _requantization(operation: Requantization, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    return operation.rescaling.codes(inputs[0], axis=1)


def _pooled(operation: Pooling, codes: np.ndarray, outside: int, join: np.ufunc) -> np.ndarray:
    """``join`` (maximum or add) over the places of the window, then over the connected channels."""
    (width, height), (sx, sy), (px, py) = operation.pool, operation.stride, operation.padding
    padded = _padded(codes, px, py, outside)
    rows, columns = padded.shape[2] - height + 1, padded.shape[3] - width + 1
    places = [padded[:, :, y : y + rows : sy, x : x + columns : sx] for y in range(height) for x in range(width)]
    result = places[0].copy()
    for place in places[1:]:
        join(result, place, out=result)
    if operation.mapping is None:
        return result
    known: dict[bytes, np.ndarray] = {}
    for column in operation.mapping.T:
        if column.tobytes() not in known:
            taken = result[:, column]
            known[column.tobytes()] = join.reduce(taken, axis=1) if column.any() else np.zeros_like(result[:, 0])
    return np.stack([known[column.tobytes()] for column in operation.mapping.T], axis=1)


def _max_pool(operation: MaxPool, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    return _pooled(operation, inputs[0], int(np.iinfo(np.int64).min), np.maximum)


def _sum_pool(operation: SumPool, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    return _pooled(operation, inputs[0], 0, np.add)


def _concatenation(operation: Concatenation, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    if operation.flat:
        inputs = [codes.reshape(len(codes), -1, 1, 1) for codes in inputs]
    return np.concatenate(inputs, axis=1)


def _rectification(operation: Rectification, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    return np.maximum(inputs[0], 0)


def _identity(operation: Identity, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    return inputs[0]


def _softmax(operation: Softmax, inputs: list[np.ndarray], edges: list[Edge]) -> np.ndarray:
    codes = inputs[0]
    batch, channels, height, width = codes.shape
    groups = channels // operation.group_size if operation.group_size else 1
    real = codes.reshape(batch, groups, channels // groups, height, width).astype(np.float64) * operation.scale
    powers = np.exp(real - real.max(axis=2, keepdims=True))
    return (powers / powers.sum(axis=2, keepdims=True)).reshape(codes.shape)


_MEANING: dict[type[Operation], Callable[[Any, list[np.ndarray], list[Edge]], np.ndarray]] = {
    Convolution: _convolution,
    FullyConnected: _fully_connected,
    Requantization: _requantization,
    MaxPool: _max_pool,
    SumPool: _sum_pool,
    Concatenation: _concatenation,
    Rectification: _rectification,
    Identity: _identity,
    Softmax: _softmax,
}
