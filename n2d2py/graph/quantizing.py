"""A pass: quantizers of weights and activations for the cells whose names match a pattern."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from numbers import Integral
from typing import Any, TypeVar

from n2d2py.cells.base import ActivatedCell, Cell, WeightedCell
from n2d2py.cells.recurrent import ROLES, Recurrent
from n2d2py.errors import GraphError, UsageError, did_you_mean
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.parameters import check
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.quantizers import MOST_STEPS, ActivationQuantizer, SatActivations, SatWeights, WeightQuantizer

_Quantizer = TypeVar("_Quantizer", WeightQuantizer, ActivationQuantizer)


def quantized(
    network: Network,
    pattern: str = "*",
    weights: WeightQuantizer | int | None = None,
    activations: ActivationQuantizer | int | None = None,
) -> Network:
    """The network with quantizers in the cells whose names match ``pattern`` (``*`` and ``?`` as in file names).

    ::

        bn1 = BatchNorm(conv1)                       bn1 = BatchNorm(conv1)
            ActivationFunction=Rectifier   becomes       ActivationFunction=Linear
                                                         QAct=SAT: Range=15

    ``weights`` goes to cells with weights; a number is the range of a SAT quantizer, which scales (ApplyScaling=1)
    unless nothing but cells that normalise takes its output. ``activations`` goes to cells with a rectifier or a
    quantizer; a number is the range of a SAT quantizer, and SAT takes the place of the rectifier, as it clips at 0
    itself. LSTM and GRU cells take both: ``activations`` quantizes all of their tensors, on both sides of 0 but behind
    the logistic function (their input too; QInput=... in the file says otherwise). SAT, which has no codes below 0, is
    not for them, and neither is a number. None leaves what is there. Raises :class:`GraphError` if no cell takes a
    quantizer that is given, :class:`UsageError` for what is none, :class:`ParameterError` for a value of a record.
    """
    if weights is None and activations is None:
        raise UsageError(f"no quantizer is given for {pattern!r}", expected="weights=, activations=, or both")
    weights = _checked(weights, WeightQuantizer, "weights")
    activations = _checked(activations, ActivationQuantizer, "activations")
    matching = [node for node in network if fnmatchcase(node.name, pattern)]
    wanted = {"weights": weights is not None, "activations": activations is not None}
    taken = {
        "weights": [node for node in matching if isinstance(node.cell, WeightedCell | Recurrent)],
        "activations": [node for node in matching if _takes(node.cell, activations)],
    }
    for what, is_wanted in wanted.items():
        if is_wanted and not taken[what]:
            raise _no_cell(network, pattern, what, bool(matching))
    changed = {node.name: node.cell for node in matching}
    if weights is not None:
        for node in taken["weights"]:
            changes: dict[str, Any] = {"weights_quantizer": _for_weights(weights, network, node)}
            changed[node.name] = replace(changed[node.name], **changes)
    if activations is not None:
        for node in taken["activations"]:
            changed[node.name] = _with_activations(changed[node.name], activations)
    nodes = tuple(replace(node, cell=changed.get(node.name, node.cell)) for node in network)
    result = replace(network, nodes=nodes)
    lint(result)
    return result


def _checked(given: Any, type_: type[_Quantizer], what: str) -> _Quantizer | int | None:
    """A record, or a range as an int; raises UsageError for anything else, and ParameterError for a value."""
    if given is None:
        return None
    if isinstance(given, type_):
        check(given)
        return given
    if isinstance(given, Integral) and not isinstance(given, bool) and 1 <= int(given) <= MOST_STEPS:
        return int(given)
    raise UsageError(
        f"{what}={given!r} is no quantizer of {what}",
        expected=f"a number of steps from 1 to {MOST_STEPS} (15 is 4 bits), or a {type_.__name__}, as SAT or LSQ",
    )


def _clips(cell: Cell) -> bool:
    if not isinstance(cell, ActivatedCell):
        return False
    function = cell.activation
    rectifies = isinstance(function, Rectifier) and not function.leak_slope
    return rectifies or cell.activation_quantizer is not None


def _takes(cell: Cell, given: ActivationQuantizer | int | None) -> bool:
    if isinstance(cell, Recurrent):
        return hasattr(given, "signed")
    return _clips(cell)


def _for_weights(given: WeightQuantizer | int, network: Network, node: Node) -> WeightQuantizer:
    if isinstance(given, WeightQuantizer):
        return given
    children = network.children(node.name)
    normalized = bool(children) and all(child.cell.normalizes for child in children)
    return SatWeights(range=given, apply_scaling=not normalized)


def _with_activations(cell: Cell, given: ActivationQuantizer | int) -> Cell:
    quantizer = given if isinstance(given, ActivationQuantizer) else SatActivations(range=given)
    if isinstance(cell, Recurrent):
        signed = replace(quantizer, signed=True)  # type: ignore[call-arg]  # _takes has looked
        tensors: dict[str, Any] = {name: quantizer if role == "sigmoid" else signed for role, name in ROLES.items()}
        return replace(cell, **tensors)
    changes: dict[str, Any] = {"activation_quantizer": quantizer}
    if isinstance(quantizer, SatActivations):
        changes["activation"] = Linear()
    return replace(cell, **changes)


def _no_cell(network: Network, pattern: str, what: str, matches: bool) -> GraphError:
    if not matches:
        return GraphError(
            f"no cell is called {pattern!r}",
            expected="the name of a cell, or a pattern such as conv*",
            remedy=did_you_mean(pattern.strip("*"), [node.name for node in network]),
        )
    kind = "weights" if what == "weights" else "a rectifier or an activation quantizer, or an LSTM or GRU for LSQ"
    return GraphError(
        f"no cell that matches {pattern!r} takes a quantizer of {what}",
        expected=f"a cell with {kind}",
        remedy="print(net) shows every cell and its activation",
    )
