"""A pass: a cell that only rearranges values disappears if all that it feeds rearranges them again."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.cells.base import Dims
from n2d2py.graph.editing import redirected, renamed
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node

_TYPE = "Reshape"


def without_extra_reshapes(network: Network) -> Network:
    """The network without each Reshape whose children, one or more, are all Reshapes of this one input.

    ::

        conv -> reshape1 -> reshape2 -> fc      becomes      conv -> reshape2 -> fc

    One with a target stays.
    """
    targeted = {target.cell for target in network.targets}
    names: dict[str, str] = {}
    dims: dict[str, Dims] = {}
    nodes: list[Node] = []
    for node in network:
        if node.name not in targeted and _is_extra(network, node):
            # What feeds it may itself have gone.
            names[node.name] = names.get(node.parents[0], node.parents[0])
            dims[node.name] = dims.get(node.parents[0], node.inputs[0])
            continue
        if len(node.parents) == 1 and node.parents[0] in names:
            cell, inputs = renamed(node.cell, names), (dims[node.parents[0]],)
            nodes.append(replace(node, cell=cell, inputs=inputs, output=cell.outputs(inputs)))
        else:
            nodes.append(redirected(node, names))
    if not names:
        return network
    result = replace(network, nodes=tuple(nodes))
    lint(result)
    return result


def _is_extra(network: Network, node: Node) -> bool:
    children = network.children(node.name)
    undone = all(_reshapes(child) and len(child.parents) == 1 for child in children)
    return _reshapes(node) and bool(children) and undone


def _reshapes(node: Node) -> bool:
    return node.cell.type_name == _TYPE
