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
from n2d2py.onnx_import.operators.channels import by_channel, number, numbers
from n2d2py.onnx_import.overrides import NodeKeys
from n2d2py.parameters import Record, choice, declarations, read
from n2d2py.parts.activations import UNBOUNDED, Activation, Linear, Rectifier
from n2d2py.parts.quantizers import ActivationQuantizer
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.registry import register


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
    slope = number(float(node.get("alpha", 0.01)))
    activate(node, importer, {"ActivationFunction": "Rectifier", "ActivationFunction.LeakSlope": slope})


@register("operator", "PRelu")
def prelu(node: OnnxNode, importer: Importer) -> None:
    """Rectifier with LeakSlope where one slope serves all channels, else cells that compute it; it does not learn."""
    slopes = importer.values(node, 1, "slope")
    item = importer.feature(node.input(0))
    if slopes.size == 0 or np.any(slopes != np.ravel(slopes)[0]):
        _slopes_by_channel(node, importer, by_channel(slopes, item.shape))
        return
    slope = number(float(np.ravel(slopes)[0]))
    activate(node, importer, {"ActivationFunction": "Rectifier", "ActivationFunction.LeakSlope": slope})


def _slopes_by_channel(node: OnnxNode, importer: Importer, slopes: np.ndarray) -> None:
    """max(x, s x) where no slope is above 1, else s x + (1 - s) max(x, 0)."""
    source = importer.source(node.input(0))
    keys = {"NbOutputs": str(importer.outputs[source].channels)}
    sloped = importer.add(
        "Scaling", importer.fresh(f"{node.name}_slopes"), node, (source,), {**keys, "Factor": numbers(slopes)}
    )
    parts, operation = (source, sloped.name), "Max"
    if slopes.max() > 1:
        rectifier = {"ActivationFunction": "Rectifier"}
        above = importer.add("Activation", importer.fresh(f"{node.name}_above"), node, (source,), {**keys, **rectifier})
        rest = importer.add(
            "Scaling", importer.fresh(f"{node.name}_rest"), node, (above.name,), {**keys, "Factor": numbers(1 - slopes)}
        )
        parts, operation = (sloped.name, rest.name), "Sum"
    cell = importer.add("ElemWise", importer.fresh(node.name), node, parts, {**keys, "Operation": operation})
    importer.give(node, cell)


@register("operator", "Sigmoid")
def sigmoid(node: OnnxNode, importer: Importer) -> None:
    """Logistic."""
    activate(node, importer, {"ActivationFunction": "Logistic"})


@register("operator", "Tanh")
def tanh(node: OnnxNode, importer: Importer) -> None:
    """Tanh."""
    activate(node, importer, {"ActivationFunction": "Tanh"})


@register("operator", "Clip")
def clip(node: OnnxNode, importer: Importer) -> None:
    """From 0: Rectifier with Clipping; from -c to c: Saturation; no bounds: nothing; else Clamp."""
    clamp(node, importer, *_bounds(node, importer), importer.feature(node.input(0)))


def clamp(node: OnnxNode, importer: Importer, low: float | None, high: float | None, item: Feature) -> None:
    """Bound a feature; None is no bound."""
    if low is None and high is None:
        importer.give_feature(node, item)
    elif low == 0 and (high is None or high > 0):
        keys = {"ActivationFunction": "Rectifier"}
        if high is not None:
            keys["ActivationFunction.Clipping"] = number(high)
        activate(node, importer, keys, item)
    elif low is not None and high is not None and low == -high and high > 0:
        keys = {"ActivationFunction": "Saturation", "ActivationFunction.Threshold": number(high)}
        activate(node, importer, keys, item)
    else:
        cell = importer.cells.get(item.source)
        function = cell.activation if isinstance(cell, ActivatedCell) else None
        rectified = isinstance(function, Rectifier) and function.leak_slope == 0
        if rectified and item.alone and low is None and high is not None and high > 0:
            keys = {"ActivationFunction": "Rectifier", "ActivationFunction.Clipping": number(high)}
            activate(node, importer, keys, item)
            return
        bounds = (-UNBOUNDED if low is None else low, UNBOUNDED if high is None else high)
        if bounds[0] > bounds[1]:
            raise UnsupportedError(f"its min {bounds[0]:g} is above its max {bounds[1]:g}")
        keys = {
            f"ActivationFunction.{name}": number(bound) for name, bound in zip(("Low", "High"), bounds, strict=True)
        }
        activate(node, importer, {"ActivationFunction": "Clamp", **keys}, item)


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
        found.append(None if value is None or abs(value) >= UNBOUNDED else float(value))
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
    made = importer.add(
        "Activation", importer.fresh(node.name), node, (item.source,), keys, given, category=_category(usual)
    )
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
    scope = importer.overrides.of(node, _category(usual))
    given = {} if scope is not None and scope.listed("ActivationFunction") else usual
    keys = NodeKeys.of(node.place, ActivatedCell, scope, {}, given, activates=True, tells=importer.overrides.tells)
    function = read(Function, keys)
    keys.close()
    if function.activation is None:
        if function.activation_quantizer is not None:
            console.warning(f"QAct without ActivationFunction: Linear is assumed, at: {node.place}")
        return replace(function, activation=Linear())
    return function


def _category(usual: Mapping[str, str]) -> str | None:
    """Rectifiers have a section in common; N2D2 knows it too, and never reads it."""
    return "Rectifier" if usual.get("ActivationFunction") == "Rectifier" else None
