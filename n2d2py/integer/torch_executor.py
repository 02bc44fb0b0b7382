"""The integer network on torch: the same codes as the reference interpreter, for whole batches and on a GPU.

Sums of products are taken in float32 or float64 where the ranges prove that these hold every partial sum exactly,
everything else in int64. Float islands are computed by the interpreter's own function, on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.base import PROVIDER
from n2d2py.integer import interpreter
from n2d2py.integer.arithmetic import Absolute, Alignment, Comparison, Maximum, Pieces, Product
from n2d2py.integer.movement import Axis, Interpolation, Nearest, Pad, Reshaping, Transposition
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import (
    Concatenation,
    Convolution,
    Deconvolution,
    Edge,
    FullyConnected,
    Identity,
    MaxPool,
    Operation,
    Pooling,
    Rectification,
    Requantization,
    SumPool,
    Weighted,
)
from n2d2py.layers.joining import spread
from n2d2py.layers.weighted import exact_products

_LEAST = torch.iinfo(torch.int64).min


def run(network: IntegerNetwork, stimuli: Tensor, wanted: Collection[str] | None = None) -> dict[str, Tensor]:
    """As :func:`n2d2py.integer.interpreter.run`, on the device of ``stimuli``; int64, islands float32."""
    values: dict[str, Tensor] = {PROVIDER: stimuli.long()}
    kept: dict[str, Tensor] = {}
    last_use = {name: index for index, operation in enumerate(network) for name in operation.inputs}
    for index, operation in enumerate(network):
        inputs = [values[name] for name in operation.inputs]
        result = _computed(operation, inputs, network.sources(operation), network.edges[operation.name])
        values[operation.name] = result
        if wanted is None or operation.name in wanted:
            kept[operation.name] = result
        for name in [*operation.inputs, operation.name]:
            if last_use.get(name, index) <= index:
                values.pop(name, None)
    return kept


def _computed(operation: Operation, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    compute = _MEANING.get(type(operation))
    if compute is not None:
        return compute(operation, inputs, edges, out)
    arrays = [x.cpu().numpy() for x in inputs]
    result = interpreter.MEANING[type(operation)](operation, arrays, edges, out)
    return torch.from_numpy(result).to(inputs[0].device)


def _at(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.device)


def _weights(operation: Weighted, edge: Edge, x: Tensor) -> Tensor | None:
    """The weights in a float type that holds all sums exactly, None if there is none."""
    flat = np.abs(operation.weights.reshape(len(operation.weights), -1))
    bound = int(flat.sum(axis=1).max(initial=0)) * max(1, edge.magnitude)
    if bound >= 1 << 53:
        return None
    highest = torch.get_float32_matmul_precision() == "highest"
    return _at(operation.weights, x).to(torch.float32 if bound < 1 << 24 and highest else torch.float64)


def _with_bias(operation: Weighted, sums: Tensor, out: Edge) -> Tensor:
    result = sums.long().reshape(len(sums), *out.dims.shape)
    if operation.bias is None:
        return result
    bias = _at(operation.bias, result).view(1, -1, *(1 for _ in range(result.dim() - 2)))
    return (result << operation.bias_shift) + bias


def _weighted(operation: Weighted, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    weights = _weights(operation, edges[0], inputs[0])
    if weights is None:
        arrays = [x.cpu().numpy() for x in inputs]
        found = interpreter.MEANING[type(operation)](operation, arrays, edges, out)
        return torch.from_numpy(found).to(inputs[0].device)
    x = inputs[0].to(weights.dtype)
    with exact_products():
        if isinstance(operation, Deconvolution):
            sums = _deconvolution(operation, x, weights)
        elif isinstance(operation, Convolution):
            sums = _convolution(operation, x, weights)
        else:
            sums = functional.linear(x.flatten(1), weights)
    return _with_bias(operation, sums, out)


def _in_space(x: Tensor, axes: int) -> Tensor:
    return x.unsqueeze(2) if x.dim() - 2 < axes else x


def _sides(padding: tuple[int, ...]) -> list[int]:
    return [side for amount in padding for side in (amount, amount)]


def _convolution(operation: Convolution, x: Tensor, weights: Tensor) -> Tensor:
    axes = weights.dim() - 2
    x = functional.pad(_in_space(x, axes), _sides(operation.padding))
    convolve = functional.conv3d if axes == 3 else functional.conv2d
    steps = [a * b for a, b in zip(operation.stride[::-1], operation.sub_sample[::-1], strict=True)]
    return convolve(x, weights, None, steps, 0, operation.dilation[::-1], operation.groups)


def _deconvolution(operation: Deconvolution, x: Tensor, weights: Tensor) -> Tensor:
    axes, groups = weights.dim() - 2, operation.groups
    turned = weights.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    spread_out = functional.conv_transpose3d if axes == 3 else functional.conv_transpose2d
    sums = spread_out(_in_space(x, axes), turned, None, operation.stride[::-1], 0, 0, groups, operation.dilation[::-1])
    return functional.pad(sums, [-amount for amount in _sides(operation.padding)])


def _pool(operation: Pooling, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    """Place by place of the window, in int64."""
    maximum, axes = isinstance(operation, MaxPool), len(operation.pool)
    x = functional.pad(_in_space(inputs[0], axes), _sides(operation.padding), value=_LEAST if maximum else 0)
    for axis, (window, stride) in enumerate(zip(operation.pool[::-1], operation.stride[::-1], strict=True), 2):
        windows = x.unfold(axis, window, stride)
        x = windows.amax(-1) if maximum else windows.sum(-1)
    if operation.mapping is not None:
        x = _over_channels(x, operation.mapping, maximum)
    return x.reshape(len(x), *out.dims.shape)


def _over_channels(x: Tensor, mapping: np.ndarray, maximum: bool) -> Tensor:
    known: dict[bytes, Tensor] = {}
    for column in mapping.T:
        if column.tobytes() not in known:
            taken = x.index_select(1, _at(np.flatnonzero(column), x))
            largest = maximum and column.any()  # a channel that takes nothing is a sum of nothing: zero
            known[column.tobytes()] = taken.amax(1) if largest else taken.sum(1)
    return torch.stack([known[column.tobytes()] for column in mapping.T], dim=1)


def _requantization(operation: Requantization, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    x, rescaling = inputs[0], operation.rescaling
    shape = (1, -1, *(1 for _ in range(x.dim() - 2)))
    multipliers, biases = (_at(array, x).view(shape) for array in (rescaling.multipliers, rescaling.biases))
    numbers = ((x * multipliers + biases) >> rescaling.shift).clamp_(0, rescaling.highest)
    if rescaling.tables:
        counts = [
            torch.searchsorted(_at(table.thresholds, x), (x.select(1, channel) * table.sign).contiguous(), right=True)
            for channel, table in rescaling.tables.items()
        ]
        numbers = numbers.index_copy(1, _at(np.array([*rescaling.tables]), x), torch.stack(counts, dim=1))
    if operation.levels:
        return torch.take(_at(np.array(operation.levels), x), numbers)
    return numbers * operation.step + operation.low if operation.renumbers else numbers


def _alignment(operation: Alignment, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    total: Any = _at(operation.biases, inputs[0])
    for x, multipliers, bits in zip(spread(inputs), operation.multipliers, operation.pre_shifts, strict=True):
        total = total + ((x + (1 << bits >> 1)) >> bits) * _at(multipliers, x)
    result: Tensor = total >> operation.shift
    return result


def _concatenation(operation: Concatenation, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    if operation.flat:
        return torch.cat([x.reshape(len(x), -1, 1, 1) for x in inputs], dim=1)
    return torch.cat(spread(inputs), dim=1)


def _pieces(operation: Pieces, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    x = torch.where(inputs[0] > 0, inputs[0] << operation.shift, inputs[0] * operation.slope)
    if operation.low is None and operation.high is None:
        return x
    return x.clamp(operation.low, operation.high)


def _comparison(operation: Comparison, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    x = inputs[0]
    chosen = torch.full_like(x, operation.code) if operation.operation.startswith("Binary") else x
    above = x >= operation.first
    return torch.where(above != operation.operation.endswith("Inverted"), chosen, 0)


def _interpolation(operation: Interpolation, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    return _between(_between(inputs[0], operation.columns, 3), operation.rows, 2)


def _between(x: Tensor, along: Axis, axis: int) -> Tensor:
    share = _at(along.share, x).view(-1, *(1 for _ in range(3 - axis)))
    nearer, farther = (x.index_select(axis, _at(places, x)) for places in (along.low, along.high))
    return nearer * ((1 << along.bits) - share) + farther * share


def _moved(operation: Operation, inputs: list[Tensor], edges: list[Edge], out: Edge) -> Tensor:
    x = inputs[0]
    match operation:
        case Pad(left=left, right=right, top=top, bottom=bottom):
            return functional.pad(x, (left, right, top, bottom))
        case Nearest(rows=rows, columns=columns):
            return x.index_select(2, _at(rows, x)).index_select(3, _at(columns, x))
        case Transposition(axes=axes):
            return x.permute(axes).reshape(len(x), *out.dims.shape)
    return x.reshape(len(x), *out.dims.shape)


_MEANING: dict[type[Operation], Callable[[Any, list[Tensor], list[Edge], Edge], Tensor]] = {
    Convolution: _weighted,
    Deconvolution: _weighted,
    FullyConnected: _weighted,
    MaxPool: _pool,
    SumPool: _pool,
    Requantization: _requantization,
    Alignment: _alignment,
    Concatenation: _concatenation,
    Pieces: _pieces,
    Comparison: _comparison,
    Interpolation: _interpolation,
    Pad: _moved,
    Nearest: _moved,
    Transposition: _moved,
    Reshaping: _moved,
    Rectification: lambda operation, inputs, edges, out: inputs[0].clamp(min=0),
    Identity: lambda operation, inputs, edges, out: inputs[0],
    Absolute: lambda operation, inputs, edges, out: inputs[0].abs(),
    Maximum: lambda operation, inputs, edges, out: reduce(torch.maximum, spread(inputs)),
    Product: lambda operation, inputs, edges, out: reduce(torch.mul, spread(inputs)),
}
