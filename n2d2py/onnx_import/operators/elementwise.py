"""Sums, products and maxima of features, and of a feature and a constant.

Features: an ElemWise cell. A constant, one number or one a channel: it becomes part of the BatchNorm, or the bias of
the Conv or Fc, before it where nothing else takes their output; else an ElemWise or Scaling cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from n2d2py.cells.base import WeightedCell
from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.activations import clamp
from n2d2py.onnx_import.operators.biases import add_biases
from n2d2py.onnx_import.operators.channels import by_channel, numbers
from n2d2py.registry import register


@register("operator", "Add")
def add(node: OnnxNode, importer: Importer) -> None:
    """The sum of two."""
    _sum(node, importer, (1.0, 1.0))


@register("operator", "Sub")
def sub(node: OnnxNode, importer: Importer) -> None:
    """The difference of two."""
    _sum(node, importer, (1.0, -1.0))


@register("operator", "Sum")
def sum_(node: OnnxNode, importer: Importer) -> None:
    """The sum of all."""
    _sum(node, importer, (1.0,) * len(node.inputs))


@register("operator", "Mean")
def mean(node: OnnxNode, importer: Importer) -> None:
    """The mean of all."""
    _sum(node, importer, (1.0 / len(node.inputs),) * len(node.inputs))


@register("operator", "Neg")
def neg(node: OnnxNode, importer: Importer) -> None:
    """The negative."""
    _affine(node, importer, node.input(0), np.full(1, -1.0), np.zeros(1))


@register("operator", "Mul")
def mul(node: OnnxNode, importer: Importer) -> None:
    """The product of two."""
    if (found := _constant_operand(node, importer)) is None:
        _combine(node, importer, "Prod", ())
    else:
        index, values = found
        _affine(node, importer, node.input(1 - index), values, np.zeros(1))


@register("operator", "Div")
def div(node: OnnxNode, importer: Importer) -> None:
    """The quotient of a feature and a constant."""
    found = _constant_operand(node, importer)
    if found is None or found[0] != 1:
        raise UnsupportedError("only a division by a constant has a cell")
    if not np.all(found[1]):
        raise UnsupportedError("it divides by 0")
    _affine(node, importer, node.input(0), 1.0 / found[1].astype(np.float64), np.zeros(1))


@register("operator", "Max")
def max_(node: OnnxNode, importer: Importer) -> None:
    """The largest of all; that of a feature and a number bounds it, by 0 as a Rectifier."""
    found = _constant_operand(node, importer) if len(node.inputs) == 2 else None
    if found is None:
        _combine(node, importer, "Max", ())
    else:
        clamp(node, importer, _bound(found[1]), None, importer.feature(node.input(1 - found[0])))


@register("operator", "Min")
def min_(node: OnnxNode, importer: Importer) -> None:
    """The smaller of a feature and a number."""
    found = _constant_operand(node, importer) if len(node.inputs) == 2 else None
    if found is None:
        raise UnsupportedError("only the minimum of a feature and a number has a cell")
    clamp(node, importer, None, _bound(found[1]), importer.feature(node.input(1 - found[0])))


def _bound(values: np.ndarray) -> float:
    if values.size == 0 or np.any(values != np.ravel(values)[0]):
        raise UnsupportedError("its constant is not one number")
    return float(np.ravel(values)[0])


def _sum(node: OnnxNode, importer: Importer, weights: Sequence[float]) -> None:
    found = _constant_operand(node, importer) if len(node.inputs) == 2 else None
    if found is None:
        _combine(node, importer, "Sum", () if set(weights) == {1.0} else weights)
        return
    index, values = found
    factor = np.full(1, weights[1 - index])
    _affine(node, importer, node.input(1 - index), factor, values * np.float32(weights[index]))


def _combine(node: OnnxNode, importer: Importer, operation: str, weights: Sequence[float]) -> None:
    """An ElemWise cell of features; one of 1x1 serves all positions."""
    for name in node.inputs:
        if importer.constant(name) is not None:
            raise UnsupportedError(f"of its {len(node.inputs)} inputs, {name!r} is constant")
    shapes = {importer.feature(name).shape for name in node.inputs}
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        raise UnsupportedError(f"its inputs have {' and '.join(map(str, sorted(ranks)))} axes")
    orders = {importer.feature(name).order for name in node.inputs}
    bases = [importer.feature(name) for name in node.inputs]
    if len(shapes) == len(orders) == 1 and all(
        importer.outputs[item.source] == importer.outputs[bases[0].source] and item.base == bases[0].base
        for item in bases
    ):
        # All in one other order: the sum is in it too, and nothing need be moved.
        sources = tuple(item.source for item in bases)
    else:
        sources = tuple(importer.source(name) for name in node.inputs)
    keys = {"NbOutputs": str(importer.outputs[sources[0]].channels), "Operation": operation}
    if weights:
        keys["Weights"] = " ".join(f"{weight:.9g}" for weight in weights)
    cell = importer.add("ElemWise", importer.fresh(node.name), node, sources, keys)
    if sources[0] == bases[0].source and not bases[0].in_order:
        importer.give_feature(node, replace(bases[0], source=cell.name, alone=True))
    else:
        importer.give(node, cell)


def _constant_operand(node: OnnxNode, importer: Importer) -> tuple[int, np.ndarray] | None:
    """(index, values) of the constant one of two operands."""
    for index in (0, 1):
        if importer.constant(node.input(index)) is not None:
            return index, importer.values(node, index, "operand")
    return None


def _affine(node: OnnxNode, importer: Importer, name: str, factor: np.ndarray, shift: np.ndarray) -> None:
    """factor * x + shift, each one number or one a channel."""
    item = importer.feature(name)
    if importer.folding.shapes.get(node.outputs[0], item.shape) != item.shape:
        raise UnsupportedError("the constant makes the tensor larger")
    if item.in_order:
        _affine_in_order(node, importer, name, factor, shift)
        return
    # In the order of the cell before it nothing need be moved; its result is seen in the order that it had.
    back = tuple(int(place) for place in np.argsort(item.order))
    plain = f"{name}_plain"
    importer.keep(plain, item.transposed(back))
    _affine_in_order(node, importer, plain, *(_transposed(values, back) for values in (factor, shift)))
    importer.give_feature(node, importer.feature(node.outputs[0]).transposed(item.order))


def _transposed(values: np.ndarray, perm: Sequence[int]) -> np.ndarray:
    """A constant beside a tensor whose axes are permuted; one that broadcasts gets the axes that it leaves out."""
    form = (1,) * (len(perm) - values.ndim) + values.shape
    return values.reshape(form).transpose(perm) if len(form) == len(perm) else values


def _affine_in_order(node: OnnxNode, importer: Importer, name: str, factor: np.ndarray, shift: np.ndarray) -> None:
    item = importer.feature(name)
    factors, shifts = by_channel(factor, item.shape), by_channel(shift, item.shape)
    if np.all(factors == 1) and not np.any(shifts):
        importer.give_feature(node, item)
        return
    one_each = len(item.shape) == 2 and importer.outputs[item.source].channels != item.shape[1]
    direct = not one_each and item.base[1:2] == item.shape[1:2]
    if direct and _absorb(node, importer, name, factors, shifts):
        return
    scalar = factors.size == shifts.size == 1
    source = importer.rows(name) if scalar else importer.source(name)
    channels = importer.outputs[source].channels
    keys = {"NbOutputs": str(channels)}
    if np.any(shifts) or scalar:
        keys.update(_coefficients(factors, shifts, channels, scalar))
        cell = importer.add("ElemWise", importer.fresh(node.name), node, (source,), keys)
    else:
        cell = importer.add("Scaling", importer.fresh(node.name), node, (source,), {**keys, "Factor": numbers(factors)})
    if importer.outputs[cell.name] == importer.outputs[item.source]:
        importer.give_feature(node, replace(item, source=cell.name, alone=True))
    else:
        importer.give_feature(node, importer.plain(cell.name, item.shape))


def _coefficients(factors: np.ndarray, shifts: np.ndarray, channels: int, scalar: bool) -> dict[str, str]:
    if scalar:
        return {"Weights": numbers(factors), "Shifts": numbers(shifts)}
    return {
        "CoeffMode": "PerChannel",
        "Weights": numbers(np.broadcast_to(factors, (channels,))),
        "Shifts": numbers(np.broadcast_to(shifts, (channels,))),
    }


def _absorb(node: OnnxNode, importer: Importer, name: str, factors: np.ndarray, shifts: np.ndarray) -> bool:
    """Make factor and shift part of the cell before, if it can take them."""
    item = importer.feature(name)
    norm = importer.plain_producer(item, BatchNorm)
    if norm is not None:
        values = importer.initial.get(norm.name)
        if values is not None:
            scales, biases = values["scales"] * factors, values["biases"] * factors + shifts
            importer.begin(norm, scales=scales.astype(np.float32), biases=biases.astype(np.float32))
        importer.give_feature(node, item)
        return True
    weighted = importer.plain_producer(item, WeightedCell)
    if weighted is None or not np.all(factors == 1):
        return False
    biases = np.broadcast_to(shifts, (weighted.nb_outputs,)).astype(np.float32)
    if not add_biases(importer, weighted, biases):
        return False
    importer.give_feature(node, item)
    return True
