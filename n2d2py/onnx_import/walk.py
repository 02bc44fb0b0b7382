"""The walk from nodes to cells, in the order of the graph, and all its refusals in one error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from n2d2py import console, registry
from n2d2py.cells.base import Cell
from n2d2py.errors import GraphError
from n2d2py.onnx_import.features import Feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.pointwise import gathered
from n2d2py.onnx_import.reader import Model

_MOST_LISTED = 20


@dataclass(frozen=True)
class Imported:
    """What a model becomes: cells in an order of computation, and the values that they begin with.

    ``initial`` is by cell and tensor ("weights", "biases", "scales", "means", "variances"). ``aliases`` gives for the
    names of ONNX tensors and nodes that are no cell the cell that computes them: an activation's, a reshape's.
    ``losses`` are Softmax cells at the end, to which N2D2 gives a target ``<name>.Target``.
    """

    cells: tuple[Cell, ...]
    initial: dict[str, dict[str, np.ndarray]]
    aliases: dict[str, str] = field(default_factory=dict)
    losses: tuple[str, ...] = ()


def walk(
    importer: Importer, given: Mapping[str, Feature], elements: Mapping[str, int], ignored: Sequence[str]
) -> Imported:
    """Convert all nodes; ``given`` are the inputs of the graph, ``elements`` their types.

    Nodes with a first output among ``ignored`` are left out, and what needs nothing but them. Raises one
    :class:`GraphError` for all refusals.
    """
    for name, item in given.items():
        importer.receive(name, item, elements[name])
    nodes = _nodes(importer.model)
    _check_ignored(nodes, ignored, importer.model.file)
    left = [node for node in nodes if not importer.folding.fold(node)]
    left = gathered(left, importer.folding, importer.model.outputs, ignored)
    refused = [(node, reason) for node in left if (reason := _unknown(node)) and node.name not in ignored]
    if refused:
        raise _refusal(importer.model, refused)
    importer.count(left)
    lost: set[str] = set()
    for node in left:
        if node.name in ignored or not _keeps(node, importer, lost, quiet=bool(refused)):
            lost.update(node.outputs)
            continue
        node.inputs = tuple(name for name in node.inputs if name not in lost)
        if reason := _refused(node, importer):
            refused.append((node, reason))
            lost.update(node.outputs)
    for name in importer.model.outputs:
        if importer.is_feature(name) and name not in lost:
            try:
                importer.source(name)  # what the model gives out stands in its shape and order
            except UnsupportedError as error:
                refused.append((next(node for node in nodes if name in node.outputs), str(error)))
    if refused:
        raise _refusal(importer.model, refused)
    importer.sharing.settle(importer.cells, importer.initial)
    return Imported(tuple(importer.cells.values()), importer.initial, importer.aliases, tuple(importer.losses))


def _nodes(model: Model) -> list[OnnxNode]:
    return [OnnxNode(proto, model.opsets.get(_domain(proto.domain), 0), model.file) for proto in model.nodes]


def _keeps(node: OnnxNode, importer: Importer, lost: set[str], quiet: bool) -> bool:
    """Whether enough of its inputs is left; ``quiet``: inputs are lost by refusals, of which the error tells."""
    missing = [name for name in node.inputs if name in lost]
    if not missing:
        return True
    if len(missing) < sum(importer.constant(name) is None for name in node.inputs if name):
        return not quiet
    if not quiet:
        console.notice(f"ONNX node {node.label} is left out: the nodes before it are ignored")
    return False


def _refused(node: OnnxNode, importer: Importer) -> str | None:
    """Convert a node; the reason if that is refused."""
    try:
        registry.find("operator", node.operator)(node, importer)
    except UnsupportedError as error:
        return str(error)
    except (ArithmeticError, LookupError, ValueError, TypeError) as error:
        # The checker of onnx lets values through that belong to no tensor: lists of other lengths, 2^60.
        return f"its attributes do not fit its inputs: {error or type(error).__name__}"
    return None


def _check_ignored(nodes: Sequence[OnnxNode], ignored: Sequence[str], file: str) -> None:
    names = {node.name for node in nodes}
    for name in ignored:
        if name not in names:
            console.warning(f"Ignore={name}: no node of {file} has this first output")


def _unknown(node: OnnxNode) -> str | None:
    if _domain(node.proto.domain):
        return f"the operator set {node.proto.domain!r} is not known"
    if not registry.known("operator", node.operator):
        return "the operator is not supported"
    return None


def _domain(domain: str) -> str:
    return "" if domain in ("", "ai.onnx") else domain


def _refusal(model: Model, refused: Sequence[tuple[OnnxNode, str]]) -> GraphError:
    lines = [f"\n  {node.label} ({node.operator}): {reason}" for node, reason in refused[:_MOST_LISTED]]
    if len(refused) > _MOST_LISTED:
        lines.append(f"\n  and {len(refused) - _MOST_LISTED} more")
    count = "1 node" if len(refused) == 1 else f"{len(refused)} nodes"
    return GraphError(
        f"{count} of the ONNX model cannot be imported:{''.join(lines)}",
        place=model.place,
        remedy="n2d2py -list operators names what can be imported; a node at the end of the graph that is not "
        "needed is left out with Ignore=<its first output>",
    )
