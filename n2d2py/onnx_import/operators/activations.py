"""Activation functions: part of the cell that computes their input, if it has none yet and feeds nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from n2d2py import console
from n2d2py.cells.base import ActivatedCell
from n2d2py.onnx_import.features import Feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.overrides import NodeKeys
from n2d2py.parameters import Record, choice, declarations, read
from n2d2py.parts.activations import Activation, Linear, Rectifier
from n2d2py.parts.quantizers import ActivationQuantizer
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.registry import register

_LARGEST = 3.0e38


@dataclass(frozen=True, kw_only=True)
class Function(Record):
    """What an activation node, or the section with its name, says."""

    activation: Activation | None = choice("ActivationFunction", "activation", None, "function applied to the output")
    activation_quantizer: ActivationQuantizer | None = choice(
        "QAct", "activation quantizer", None, "quantizer of the output"
    )
    activation_quantizer_solver: Solver = choice(
        ("QActSolver", "QAct.Solver"), "solver", SGD(), "solver of the quantizer's parameter", type_default="SGD"
    )


@register("operator", "Relu")
def relu(node: OnnxNode, importer: Importer) -> None:
    """Rectifier."""
    activate(node, importer, {"ActivationFunction": "Rectifier"})


@register("operator", "LeakyRelu")
def leaky_relu(node: OnnxNode, importer: Importer) -> None:
    """Rectifier with LeakSlope."""
    slope = f"{float(node.get('alpha', 0.01)):.9g}"
    activate(node, importer, {"ActivationFunction": "Rectifier", "ActivationFunction.LeakSlope": slope})


@register("operator", "PRelu")
def prelu(node: OnnxNode, importer: Importer) -> None:
    """Rectifier with LeakSlope where one slope serves all channels; it does not learn."""
    slopes = importer.values(node, 1, "slope")
    if slopes.size == 0 or np.any(slopes != np.ravel(slopes)[0]):
        raise UnsupportedError("it has a slope for each channel")
    slope = f"{float(np.ravel(slopes)[0]):.9g}"
    activate(node, importer, {"ActivationFunction": "Rectifier", "ActivationFunction.LeakSlope": slope})


@register("operator", "Sigmoid")
def sigmoid(node: OnnxNode, importer: Importer) -> None:
    """Logistic; where it gates its own input, x * sigmoid(x), Mul makes a Swish of the two."""
    users = importer.users(node.outputs[0])
    if len(users) == 1 and users[0].operator == "Mul" and set(users[0].inputs) == {node.input(0), node.outputs[0]}:
        importer.gates[node.outputs[0]] = node.input(0)
        importer.give_feature(node, replace(importer.feature(node.input(0)), alone=False))
        return
    activate(node, importer, {"ActivationFunction": "Logistic"})


@register("operator", "Tanh")
def tanh(node: OnnxNode, importer: Importer) -> None:
    """Tanh."""
    activate(node, importer, {"ActivationFunction": "Tanh"})


@register("operator", "Softplus")
def softplus(node: OnnxNode, importer: Importer) -> None:
    """Softplus."""
    activate(node, importer, {"ActivationFunction": "Softplus"})


@register("operator", "Swish")
def swish(node: OnnxNode, importer: Importer) -> None:
    """Swish of alpha 1."""
    if float(node.get("alpha", 1.0)) != 1.0:
        raise UnsupportedError(f"alpha={node.get('alpha', 1.0):g} is not supported, 1 is")
    activate(node, importer, {"ActivationFunction": "Swish"})


@register("operator", "Clip")
def clip(node: OnnxNode, importer: Importer) -> None:
    """min 0: Rectifier with Clipping; from -c to c: Saturation; no bounds: nothing."""
    low, high = _bounds(node, importer)
    if low is None and high is None:
        importer.give_feature(node, importer.feature(node.input(0)))
    elif low == 0 and (high is None or high > 0):
        keys = {"ActivationFunction": "Rectifier"}
        if high is not None:
            keys["ActivationFunction.Clipping"] = f"{high:.9g}"
        activate(node, importer, keys)
    elif low is not None and high is not None and low == -high and high > 0:
        activate(node, importer, {"ActivationFunction": "Saturation", "ActivationFunction.Threshold": f"{high:.9g}"})
    else:
        item = importer.feature(node.input(0))
        cell = importer.cells.get(item.source)
        rectified = isinstance(cell, ActivatedCell) and isinstance(cell.activation, Rectifier)
        if rectified and item.alone and low is None and high is not None and high > 0:
            activate(node, importer, {"ActivationFunction": "Rectifier", "ActivationFunction.Clipping": f"{high:.9g}"})
            return
        told = f"{'-inf' if low is None else f'{low:g}'} to {'inf' if high is None else f'{high:g}'}"
        raise UnsupportedError(f"no activation function clips from {told}: from 0 or from -c to c can be done")


def _bounds(node: OnnxNode, importer: Importer) -> tuple[float | None, float | None]:
    """min and max, which are attributes before opset 11 and inputs from then on; None if there is no bound."""
    found: list[float | None] = []
    for index, name in ((1, "min"), (2, "max")):
        value = node.get(name, None)
        if node.input(index):
            array = importer.values(node, index, name)
            if array.size != 1:
                raise UnsupportedError(f"its {name} is {array.size} numbers")
            value = float(np.ravel(array)[0])
        found.append(None if value is None or abs(value) > _LARGEST else float(value))
    return found[0], found[1]


def activate(node: OnnxNode, importer: Importer, usual: Mapping[str, str], item: Feature | None = None) -> None:
    """Apply a function, or what the section of the node says in its place, to a feature (that of input 0)."""
    item = importer.feature(node.input(0)) if item is None else item
    function = _function(node, importer, usual)
    cell = importer.plain_producer(item, ActivatedCell)
    if cell is not None:
        changed = replace(
            cell,
            **{field: getattr(function, field) for field in declarations(Function)},
            places={**cell.places, **{key: place for key, place in function.places.items() if key}},
        )
        importer.change(changed)
        importer.give_feature(node, item)
        return
    if _merge(node, importer, item, function):
        return
    # The order of the axes does not matter to a function of single values.
    keys = {"NbOutputs": str(importer.outputs[item.source].channels)}
    given = {} if function.places.get("activation") is None else usual
    made = importer.add("Activation", importer.fresh(node.name), node, (item.source,), keys, given)
    importer.give_feature(node, replace(item, source=made.name, alone=True))


def _merge(node: OnnxNode, importer: Importer, item: Feature, function: Function) -> bool:
    """Put a Rectifier and a Rectifier after it together: the smaller bound counts."""
    cell, after = importer.cells.get(item.source), function.activation
    if not item.alone or not isinstance(cell, ActivatedCell) or not isinstance(after, Rectifier):
        return False
    before = cell.activation
    if not isinstance(before, Rectifier) or before.leak_slope or after.leak_slope:
        return False
    if cell.activation_quantizer is not None or function.activation_quantizer is not None:
        return False
    bounds = [bound for bound in (before.clipping, after.clipping) if bound]
    importer.change(replace(cell, activation=replace(before, clipping=min(bounds, default=0.0))))
    importer.give_feature(node, item)
    return True


def _function(node: OnnxNode, importer: Importer, usual: Mapping[str, str]) -> Function:
    scope = importer.overrides.named(node)
    given = {} if scope is not None and scope.listed("ActivationFunction") else usual
    keys = NodeKeys.of(node.place, ActivatedCell, scope, {}, given, activates=True, tells=importer.overrides.tells)
    function = read(Function, keys)
    keys.close()
    if function.activation is None:
        if function.activation_quantizer is not None:
            console.warning(f"QAct without ActivationFunction: Linear is assumed, at: {node.place}")
        return replace(function, activation=Linear())
    return function
