"""A pass: cells that normalise behind a linear weighted cell disappear, and leave their activation to it."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.cells.base import ActivatedCell, WeightedCell
from n2d2py.graph.editing import redirected
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.parts.activations import Linear


def without_batchnorm(network: Network) -> tuple[Network, dict[str, str]]:
    """The network without the BatchNorm cells that can be absorbed, and where each went: BatchNorm -> cell.

    ::

        conv1 (linear) -> bn1 (Rectifier) -> pool1      becomes      conv1 (bias, Rectifier) -> pool1

    A BatchNorm is absorbed if its one input is a weighted cell without activation that feeds nothing else, and if its
    output is not quantized. That cell then has weights of its own that nothing clamps or normalises.
    """
    absorbed = {node.name: node.parents[0] for node in network if _can_be_absorbed(network, node)}
    hosts = {host: cell for name, host in absorbed.items() if isinstance(cell := network[name].cell, ActivatedCell)}
    nodes: list[Node] = []
    for node in network:
        if node.name in absorbed:
            continue
        current = redirected(node, absorbed)
        if node.name in hosts:
            assert isinstance(current.cell, WeightedCell)  # what absorbs
            cell = replace(current.cell.with_plain_weights(), activation=hosts[node.name].activation)
            current = replace(current, cell=cell)
        nodes.append(current)
    targets = tuple(replace(target, cell=absorbed.get(target.cell, target.cell)) for target in network.targets)
    # What was one tensor in learning is several now: each cell has absorbed a BatchNorm of its own. The values of an
    # imported model are not those of such cells.
    fused = replace(network, nodes=tuple(nodes), targets=targets, shared={}, initial={})
    lint(fused)
    return fused, absorbed


def _can_be_absorbed(network: Network, node: Node) -> bool:
    norm = node.cell
    if not (norm.normalizes and isinstance(norm, ActivatedCell)) or norm.activation_quantizer is not None:
        return False
    if len(node.parents) != 1 or node.parents[0] not in network:
        return False
    host = network[node.parents[0]]
    cell = host.cell
    linear = (
        isinstance(cell, WeightedCell)
        and cell.activation_quantizer is None
        and (cell.activation is None or cell.activation == Linear())
    )
    targeted = any(target.cell == host.name for target in network.targets)
    return linear and not targeted and len(network.children(host.name)) == 1
