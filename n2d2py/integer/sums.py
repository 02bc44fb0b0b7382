"""Sums of products and windows in numpy: the meaning of convolutions, matrix products and pooling.

Sums of products go through floating-point BLAS where the ranges prove that this changes nothing: if the sum of
|weight * code| over one output stays below 2^24 (float32) or 2^53 (float64), then every product and every partial
sum, in whatever order and with or without fused multiply-add, is an integer below that bound, which the type holds
exactly. Wider sums are taken in int64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from n2d2py.integer.operations import (
    Along,
    Convolution,
    Deconvolution,
    Edge,
    FullyConnected,
    MaxPool,
    Pooling,
    SumPool,
    Weighted,
)

Index = tuple[Any, ...]
_ALL = slice(None)

LEAST = int(np.iinfo(np.int64).min)
"""What stands for places outside the input of a maximum."""


def _exact_type(weights: np.ndarray, edge: Edge) -> Any:
    """The cheapest type in which sums of weight * code, along the last axis of ``weights``, are exact."""
    bound = int(np.abs(weights).sum(axis=-1).max(initial=0)) * edge.magnitude
    return np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64


def in_space(codes: np.ndarray, axes: int) -> np.ndarray:
    """``codes`` with as many axes of places as a window has: a depth of 1 where the tensor has none."""
    return codes[:, :, np.newaxis] if codes.ndim - 2 < axes else codes


def padded(codes: np.ndarray, padding: Sequence[int], outside: int) -> np.ndarray:
    """``outside`` on both sides of the last axes, given x first; a negative padding crops."""
    for axis, amount in enumerate(padding, 1):
        if amount < 0:
            cropped: Index = (..., slice(-amount, codes.shape[-axis] + amount), *[_ALL] * (axis - 1))
            codes = codes[cropped]
    sides = [(max(0, amount),) * 2 for amount in reversed(padding)]
    return np.pad(codes, [(0, 0), (0, 0), *sides], constant_values=outside)


def _strided(steps: Along) -> tuple[slice, ...]:
    return tuple(slice(None, None, step) for step in reversed(steps))


def _with_bias(operation: Weighted, sums: np.ndarray, out: Edge) -> np.ndarray:
    sums = sums.reshape(len(sums), *out.dims.shape)
    if operation.bias is None:
        return sums
    return (sums << operation.bias_shift) + operation.bias.reshape(1, -1, *[1] * (sums.ndim - 2))


def convolution(operation: Convolution, inputs: list[np.ndarray], edges: list[Edge], out: Edge) -> np.ndarray:
    """Cross-correlation."""
    groups, weights = operation.groups, operation.weights
    outputs, axes = len(weights), weights.ndim - 2
    kind = _exact_type(weights.reshape(outputs, -1), edges[0])
    spread = padded(in_space(inputs[0], axes).astype(kind), operation.padding, 0)
    dilation = operation.dilation[::-1]
    shape = tuple(step * (size - 1) + 1 for step, size in zip(dilation, weights.shape[2:], strict=True))
    windows = sliding_window_view(spread, shape, axis=tuple(range(2, 2 + axes)))
    strided: Index = (_ALL, _ALL, *_strided(operation.stride), *_strided(operation.dilation))
    sampled: Index = (_ALL, _ALL, *_strided(operation.sub_sample))
    windows = windows[strided][sampled]
    batch, places = len(windows), windows.shape[2 : 2 + axes]
    # (batch, groups, taps, places) times (groups, outputs, taps) = (batch, groups, outputs, places)
    order = (0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
    taken = windows.transpose(order).reshape(batch, groups, weights[0].size, math.prod(places))
    sums = weights.reshape(groups, outputs // groups, -1).astype(kind) @ taken
    return _with_bias(operation, sums.astype(np.int64), out)


def deconvolution(operation: Deconvolution, inputs: list[np.ndarray], edges: list[Edge], out: Edge) -> np.ndarray:
    """Every code spreads its kernel; what lies on the padding is cut off."""
    groups, weights = operation.groups, operation.weights
    outputs, axes = len(weights), weights.ndim - 2
    kind = _exact_type(weights.reshape(outputs, -1), edges[0])
    codes = in_space(inputs[0], axes).astype(kind)
    batch, channels, *sizes = codes.shape
    stride, dilation = operation.stride[::-1], operation.dilation[::-1]
    full = [
        (size - 1) * step + far * (taps - 1) + 1
        for size, step, far, taps in zip(sizes, stride, dilation, weights.shape[2:], strict=True)
    ]
    result = np.zeros((batch, outputs, *full), dtype=kind)
    columns = codes.reshape(batch, groups, channels // groups, -1)
    by_group = weights.reshape(groups, outputs // groups, *weights.shape[1:]).astype(kind)
    for tap in product(*map(range, weights.shape[2:])):
        kernel: Index = (_ALL, _ALL, _ALL, *tap)
        places: Index = (
            _ALL,
            _ALL,
            *(
                slice(at * far, at * far + (size - 1) * step + 1, step)
                for at, far, size, step in zip(tap, dilation, sizes, stride, strict=True)
            ),
        )
        result[places] += (by_group[kernel] @ columns).reshape(batch, outputs, *sizes)
    cut = padded(result, [-amount for amount in operation.padding], 0)
    return _with_bias(operation, cut.astype(np.int64), out)


def fully_connected(operation: FullyConnected, inputs: list[np.ndarray], edges: list[Edge], out: Edge) -> np.ndarray:
    """Matrix product."""
    kind = _exact_type(operation.weights, edges[0])
    sums = inputs[0].reshape(len(inputs[0]), -1).astype(kind) @ operation.weights.T.astype(kind)
    return _with_bias(operation, sums.astype(np.int64), out)


def places_of(codes: np.ndarray, operation: Pooling, outside: int) -> list[np.ndarray]:
    """For each place of the window, in reading order, the codes that all windows have there."""
    spread = padded(in_space(codes, len(operation.pool)), operation.padding, outside)
    window, stride = operation.pool[::-1], operation.stride[::-1]
    counts = [size - taps + 1 for size, taps in zip(spread.shape[2:], window, strict=True)]
    found = []
    for tap in product(*map(range, window)):
        place: Index = (_ALL, _ALL, *(slice(a, a + n, s) for a, n, s in zip(tap, counts, stride, strict=True)))
        found.append(spread[place])
    return found


def _pooled(operation: Pooling, codes: np.ndarray, outside: int, join: np.ufunc, out: Edge) -> np.ndarray:
    """``join`` (maximum or add) over the places of the window, then over the connected channels."""
    places = places_of(codes, operation, outside)
    result = places[0].copy()
    for place in places[1:]:
        join(result, place, out=result)
    if operation.mapping is not None:
        known: dict[bytes, np.ndarray] = {}
        for column in operation.mapping.T:
            if column.tobytes() not in known:
                taken = result[:, column]
                known[column.tobytes()] = join.reduce(taken, axis=1) if column.any() else np.zeros_like(result[:, 0])
        result = np.stack([known[column.tobytes()] for column in operation.mapping.T], axis=1)
    return result.reshape(len(result), *out.dims.shape)


def max_pool(operation: MaxPool, inputs: list[np.ndarray], edges: list[Edge], out: Edge) -> np.ndarray:
    """The largest code of a window."""
    return _pooled(operation, inputs[0], LEAST, np.maximum, out)


def sum_pool(operation: SumPool, inputs: list[np.ndarray], edges: list[Edge], out: Edge) -> np.ndarray:
    """The sum of a window."""
    return _pooled(operation, inputs[0], 0, np.add, out)
