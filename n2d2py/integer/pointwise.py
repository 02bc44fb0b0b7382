"""Everything that is no sum of products, in numpy: the meaning of rescalings, alignments and movements of codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from n2d2py.integer.arithmetic import Absolute, Alignment, Comparison, FloatBits, Maximum, Pieces, Product
from n2d2py.integer.floats import bits_of
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
from n2d2py.integer.operations import (
    Concatenation,
    Edge,
    Identity,
    MaxPool,
    Operation,
    Rectification,
    Requantization,
    Softmax,
)
from n2d2py.integer.sums import LEAST, in_space, places_of
from n2d2py.layers.softmax import probabilities_of

Arrays = list[np.ndarray]


def _spread(inputs: Arrays) -> Arrays:
    """An input of one place stands at every place of the others."""
    axes = max(codes.ndim for codes in inputs)
    inputs = [codes[:, :, np.newaxis] if codes.ndim < axes else codes for codes in inputs]
    places = tuple(max(sizes) for sizes in zip(*(codes.shape[2:] for codes in inputs), strict=True))
    return [np.broadcast_to(codes, (*codes.shape[:2], *places)) for codes in inputs]


def _requantization(operation: Requantization, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return operation.codes(inputs[0], axis=1)


def _alignment(operation: Alignment, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    total: Any = operation.biases
    for codes, multipliers, bits in zip(_spread(inputs), operation.multipliers, operation.pre_shifts, strict=True):
        short = (codes + (1 << bits >> 1)) >> bits
        total = total + short * multipliers
    result: np.ndarray = total >> operation.shift
    return result


def _concatenation(operation: Concatenation, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    if operation.flat:
        return np.concatenate([codes.reshape(len(codes), -1, 1, 1) for codes in inputs], axis=1)
    return np.concatenate(_spread(inputs), axis=1)


def _rectification(operation: Rectification, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return np.maximum(inputs[0], 0)


def _pieces(operation: Pieces, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    codes = np.where(inputs[0] > 0, inputs[0] << operation.shift, inputs[0] * operation.slope)
    if operation.low is not None:
        codes = np.maximum(codes, operation.low)
    return codes if operation.high is None else np.minimum(codes, operation.high)


def _comparison(operation: Comparison, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    above = inputs[0] >= operation.first
    chosen: Any = operation.code if operation.operation.startswith("Binary") else inputs[0]
    return np.where(above != operation.operation.endswith("Inverted"), chosen, 0).astype(np.int64)


def _absolute(operation: Absolute, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return np.abs(inputs[0])


def _maximum(operation: Maximum, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return reduce(np.maximum, _spread(inputs))


def _product(operation: Product, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return reduce(np.multiply, _spread(inputs))


def _identity(operation: Identity, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return inputs[0]


def _pad(operation: Pad, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    height, width = inputs[0].shape[-2:]
    left, right, top, bottom = operation.left, operation.right, operation.top, operation.bottom
    kept = inputs[0][..., max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)]
    sides = [(max(0, top), max(0, bottom)), (max(0, left), max(0, right))]
    return np.pad(kept, [*[(0, 0)] * (kept.ndim - 2), *sides])


def _nearest(operation: Nearest, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return inputs[0][:, :, operation.rows][..., operation.columns]


def _interpolation(operation: Interpolation, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return _between(_between(inputs[0], operation.columns, 3), operation.rows, 2)


def _between(codes: np.ndarray, along: Axis, axis: int) -> np.ndarray:
    share = along.share.reshape(-1, *[1] * (3 - axis))
    nearer, farther = codes.take(along.low, axis), codes.take(along.high, axis)
    return nearer * ((1 << along.bits) - share) + farther * share


def _reshaping(operation: Reshaping, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return inputs[0].reshape(len(inputs[0]), *out.dims.shape)


def _transposition(operation: Transposition, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    turned = inputs[0].transpose(operation.axes)
    return turned.reshape(len(turned), *out.dims.shape)


def _unpooling(operation: Unpooling, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    axes = len(operation.pool)
    pool = MaxPool("", "", (), operation.pool, operation.stride, operation.padding)
    values, source = in_space(inputs[0], axes), in_space(inputs[1], axes)
    first = np.stack(places_of(source, pool, LEAST)).argmax(axis=0)
    taps = np.stack(np.unravel_index(first, operation.pool[::-1]))
    size = (len(values), values.shape[1], *in_space(np.empty((1, *out.dims.shape)), axes).shape[2:])
    result = np.zeros(size, dtype=np.int64)
    stride, padding = operation.stride[::-1], operation.padding[::-1]
    for place in np.ndindex(*values.shape[2:]):
        here: tuple[Any, ...] = (slice(None), slice(None), *place)
        spots = [taps[axis][here] + at * stride[axis] - padding[axis] for axis, at in enumerate(place)]
        inside = np.logical_and.reduce([(at >= 0) & (at < n) for at, n in zip(spots, size[2:], strict=True)])
        images, channels = np.nonzero(inside)
        there: tuple[Any, ...] = (images, channels, *(at[inside] for at in spots))
        result[there] = values[here][inside]
    return result.reshape(len(result), *out.dims.shape)


def _region_maximum(operation: RegionMaximum, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    rows = np.stack([inputs[0][:, :, start:end].max(axis=2) for start, end in operation.rows], axis=2)
    return np.stack([rows[..., start:end].max(axis=3) for start, end in operation.columns], axis=3)


def _float_bits(operation: FloatBits, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return bits_of(inputs[0])


def _softmax(operation: Softmax, inputs: Arrays, edges: list[Edge], out: Edge) -> np.ndarray:
    return probabilities_of(inputs[0].astype(np.float64) * operation.scale, operation.group_size)


Meaning = Callable[[Any, list[np.ndarray], list[Edge], Edge], np.ndarray]
"""(operation, its inputs, their edges, its own edge) -> its output."""

MEANING: dict[type[Operation], Meaning] = {
    Requantization: _requantization,
    Alignment: _alignment,
    Concatenation: _concatenation,
    Rectification: _rectification,
    Pieces: _pieces,
    Comparison: _comparison,
    Absolute: _absolute,
    Maximum: _maximum,
    Product: _product,
    Identity: _identity,
    Pad: _pad,
    Nearest: _nearest,
    Interpolation: _interpolation,
    Reshaping: _reshaping,
    Transposition: _transposition,
    Unpooling: _unpooling,
    RegionMaximum: _region_maximum,
    FloatBits: _float_bits,
    Softmax: _softmax,
}
