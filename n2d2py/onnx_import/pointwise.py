"""Groups of element-wise nodes that together are one activation function.

Exporters spell functions out: x sigmoid(x), x / 2 (1 + erf(x / sqrt(2))), where(x > 20, x, log(1 + exp(x))). What a
group computes that begins and ends in one tensor is asked on two thousand numbers, from -10000 to 10000, and compared
with the functions that there are. A spelling is asked once, however often it stands in a model.
"""

from __future__ import annotations

import heapq
import math
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from n2d2py import registry
from n2d2py.onnx_import.folding import Folding
from n2d2py.onnx_import.node import OnnxNode
from n2d2py.onnx_import.reader import NEWEST_OPSET

_ELEMENTWISE = frozenset(
    """Abs Add And Cast Ceil Celu Clip Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish
    Identity LeakyRelu Less LessOrEqual Log Max Min Mish Mul Neg Not Or Pow PRelu Reciprocal Relu Round Selu Sigmoid
    Sign Softplus Softsign Sqrt Sub Swish Tanh ThresholdedRelu Where""".split()
)
_MOST_NODES = 16
_MOST_SPELLINGS = 100
"""Spellings of one model that are asked; real ones have a few."""
_MOST_GROUPS = 5000
"""Groups of one model that are looked at, spellings that are known among them."""

_FAR = np.array([100, 300, 1e3, 1e4])
_PROBES = np.concatenate([np.linspace(-8, 8, 1601), np.linspace(-60, 60, 241), -_FAR, _FAR]).astype(np.float32)
_ZERO, _ONE, _LOWEST, _HIGHEST = (int(np.abs(_PROBES - at).argmin()) for at in (0, 1, -60, 60))
_TOLERANCE = 2e-6
"""Of a probe (of 1 if that is larger): float32 and the constants of exporters are not nearer. Of functions that stay
below 1 it is as much less as they are."""
_TOLERANCE_FAR = 1e-3
_CLOSE = 8


Attributes = dict[str, float | str]


class _Function(NamedTuple):
    """A function that a group may be: the operator, and its attributes if the values look like it."""

    operator: str
    attributes: Callable[[np.ndarray], Attributes | None]
    values: Callable[..., np.ndarray]


def gathered(
    nodes: Sequence[OnnxNode], folding: Folding, outputs: Collection[str], ignored: Collection[str]
) -> list[OnnxNode]:
    """The nodes, in their order, with one in place of each group; ``outputs`` are those of the graph.

    The node of a group has the name and the output of the group's last one. ``ignored`` nodes stay what they are.
    """
    plain = {
        index: taken
        for index, node in enumerate(nodes)
        if node.name not in ignored and (taken := _features(node, folding)) is not None
    }
    users: dict[str, list[int]] = {}
    for index, node in enumerate(nodes):
        for name in filter(None, node.inputs):
            users.setdefault(name, []).append(index)
    known: dict[bytes, tuple[str, Attributes] | None] = {}
    made: dict[int, OnnxNode] = {}
    gone: set[int] = set()
    left = _MOST_GROUPS
    for start in users:
        if start in folding.constants or not left:
            continue
        members = _grown(start, nodes, plain, users, gone)
        for end in reversed(members):
            group = _behind(end, start, members, nodes, plain)
            inside = {nodes[index].outputs[0] for index in group if index != end}
            closed = all(user in group for name in inside for user in users[name]) and not inside & set(outputs)
            if not closed or not _is_worth(group, nodes, plain) or not _keeps_shape(start, nodes[end], folding):
                continue
            left -= 1
            found = _recognised(start, [nodes[index] for index in group], folding, known)
            if found is not None:
                operator, attributes = found
                made[end] = _node(operator, attributes, start, nodes[end])
                gone.update(group)
            if found is not None or not left:
                break
    return [made.get(index, node) for index, node in enumerate(nodes) if index in made or index not in gone]


def _features(node: OnnxNode, folding: Folding) -> tuple[str, ...] | None:
    """What of an element-wise node's inputs stimuli change; None for another node, or one with longer constants."""
    if node.operator not in _ELEMENTWISE or node.proto.domain not in ("", "ai.onnx") or len(node.outputs) != 1:
        return None
    given = [name for name in node.inputs if name]
    if any(name in folding.constants and folding.constants[name].size != 1 for name in given):
        return None
    return tuple(dict.fromkeys(name for name in given if name not in folding.constants))


def _grown(
    start: str,
    nodes: Sequence[OnnxNode],
    plain: Mapping[int, tuple[str, ...]],
    users: Mapping[str, list[int]],
    gone: Collection[int],
) -> list[int]:
    """The nodes that ``start`` alone determines, in their order."""
    members: list[int] = []
    reached, waiting = {start}, list(users[start])
    heapq.heapify(waiting)
    while waiting and len(members) < _MOST_NODES:
        index = heapq.heappop(waiting)
        if (members and members[-1] == index) or index in gone or index not in plain:
            continue
        if reached.issuperset(plain[index]):
            members.append(index)
            (output,) = nodes[index].outputs
            reached.add(output)
            for user in users.get(output, ()):
                heapq.heappush(waiting, user)
    return members


def _behind(
    end: int, start: str, members: Sequence[int], nodes: Sequence[OnnxNode], plain: Mapping[int, tuple[str, ...]]
) -> list[int]:
    """The members that ``end`` needs, itself among them, in their order."""
    makers = {nodes[index].outputs[0]: index for index in members}
    needed, left = {end}, [end]
    while left:
        for name in plain[left.pop()]:
            if name != start and makers[name] not in needed:
                needed.add(makers[name])
                left.append(makers[name])
    return sorted(needed)


def _is_worth(group: Sequence[int], nodes: Sequence[OnnxNode], plain: Mapping[int, tuple[str, ...]]) -> bool:
    """Whether the nodes one by one would not do: some take two features, or have no cell."""
    return len(group) > 1 and any(
        len(plain[index]) > 1 or not registry.known("operator", nodes[index].operator) for index in group
    )


def _keeps_shape(start: str, end: OnnxNode, folding: Folding) -> bool:
    return folding.shapes.get(end.outputs[0], folding.shapes.get(start)) == folding.shapes.get(start)


# ------------------------------------------------------------------------------------------------ what it is


def _recognised(
    start: str,
    group: Sequence[OnnxNode],
    folding: Folding,
    known: dict[bytes, tuple[str, Attributes] | None],
) -> tuple[str, Attributes] | None:
    """The operator that a group is, and its attributes; None if it is none."""
    model = _model(start, group, folding)
    spelling = model.SerializeToString(deterministic=True)
    if spelling not in known:
        known[spelling] = _compared(model) if len(known) < _MOST_SPELLINGS else None
    return known[spelling]


def _model(start: str, group: Sequence[OnnxNode], folding: Folding) -> onnx.ModelProto:
    """The group as a model of its own, whose names do not depend on where it stands."""
    names = {start: "x", "": ""}
    protos, constants = [], []
    for index, node in enumerate(group):
        for name in node.inputs:
            if name not in names:
                names[name] = f"c{len(names)}"
                constants.append(numpy_helper.from_array(np.array(folding.constants[name].array), names[name]))
        names[node.outputs[0]] = f"y{index}"
        proto = NodeProto()
        proto.CopyFrom(node.proto)
        proto.name, proto.doc_string = "", ""
        del proto.input[:], proto.output[:], proto.metadata_props[:]
        proto.input.extend(names[name] for name in node.inputs)
        proto.output.append(names[node.outputs[0]])
        protos.append(proto)
    graph = helper.make_graph(
        protos,
        "group",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])],
        [onnx.ValueInfoProto(name=protos[-1].output[0])],
        constants,
    )
    return helper.make_model(graph, opset_imports=folding.opset_ids)


def _compared(model: onnx.ModelProto) -> tuple[str, Attributes] | None:
    from onnx.reference import ReferenceEvaluator

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            (y,) = ReferenceEvaluator(model).run(None, {"x": _PROBES})
        y = np.asarray(y, np.float64).reshape(_PROBES.shape)
    except Exception:  # whatever the evaluator of a foreign file says: then it is no function that is known
        return None
    x = _PROBES.astype(np.float64)
    # Far out a spelling may overflow, or lose its digits, where the function does not: log(1 + exp(x)).
    far = np.abs(x) > 60
    near = np.where(far, _TOLERANCE_FAR, _TOLERANCE) * np.maximum(1.0, np.abs(x))
    near *= min(np.abs(y[np.abs(x) <= _CLOSE]).max(initial=0.0, where=np.isfinite(y[np.abs(x) <= _CLOSE])), 1.0)
    near[far & ~np.isfinite(y)] = np.inf
    y = np.where(far, np.nan_to_num(y), y)
    with np.errstate(all="ignore"):
        for function in _FUNCTIONS:
            attributes = function.attributes(y)
            if attributes is not None and np.all(np.abs(function.values(x, **attributes) - y) <= near):
                return function.operator, attributes
    return None


def _node(operator: str, attributes: Attributes, start: str, end: OnnxNode) -> OnnxNode:
    proto = helper.make_node(operator, [start], list(end.outputs), end.proto.name)
    proto.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return OnnxNode(proto, NEWEST_OPSET, end.file)


def _none(y: np.ndarray) -> Attributes:
    return {}


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


def _gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _of_gate(y: np.ndarray) -> Attributes | None:
    """x sigmoid(a x) has, at 1, a logit of a."""
    at_1 = float(y[_ONE])
    return {"alpha": _tidied(math.log(at_1 / (1 - at_1)))} if 0 < at_1 < 1 else None


def _of_bend(y: np.ndarray) -> Attributes | None:
    """log(1 + exp(a x)) / a is log(2) / a at 0."""
    at_0 = float(y[_ZERO])
    return {"alpha": _tidied(math.log(2) / at_0)} if at_0 else None


def _of_line(y: np.ndarray) -> Attributes | None:
    """clamp(a x + b, 0, 1): the slope is measured near 0."""
    slope = float(y[_ZERO + 10] - y[_ZERO]) / (float(_PROBES[_ZERO + 10]) - float(_PROBES[_ZERO]))
    return {"alpha": _tidied(slope), "beta": _tidied(float(y[_ZERO]))} if slope > 0 else None


def _of_bounds(y: np.ndarray) -> Attributes | None:
    low, high = float(y[_LOWEST]), float(y[_HIGHEST])
    return {"min": low, "max": high} if -60 < low < high < 60 else None


def _tidied(value: float) -> float:
    """The number that was meant, of one that was measured in float32."""
    return float(f"{value:.6g}")


_FUNCTIONS = (
    _Function("Relu", _none, lambda x: np.maximum(x, 0)),
    _Function(
        "LeakyRelu",
        lambda y: {"alpha": _tidied(float(y[_LOWEST]) / -60)},
        lambda x, alpha: np.where(x > 0, x, alpha * x),
    ),
    _Function("Swish", _of_gate, lambda x, alpha: x * _logistic(alpha * x)),
    _Function("HardSwish", _none, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    _Function("HardSigmoid", _of_line, lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1)),
    _Function("Gelu", _none, _gelu),
    _Function("Gelu", lambda y: {"approximate": "tanh"}, _gelu),
    _Function("Mish", _none, lambda x: x * np.tanh(_softplus(x))),
    _Function("Softplus", _of_bend, lambda x, alpha: _softplus(alpha * x) / alpha),
    _Function("Softsign", _none, lambda x: x / (1 + np.abs(x))),
    _Function("Sigmoid", _none, _logistic),
    _Function("Tanh", _none, np.tanh),
    _Function(
        "Elu",
        lambda y: {"alpha": _tidied(-float(y[_LOWEST]))},
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    ),
    _Function(
        "Clip",
        _of_bounds,
        lambda x, min, max: np.clip(x, min, max),
    ),
)
