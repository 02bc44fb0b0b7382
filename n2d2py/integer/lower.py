"""From the learned quantized network to the integer network, cell by cell."""

from __future__ import annotations

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.integer import lowering  # noqa: F401 - the lowerings register themselves
from n2d2py.integer.lint import lint
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Edge, Operation
from n2d2py.integer.requantize import MODES
from n2d2py.integer.site import Site
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Grid
from n2d2py.registry import find, known


def lower(network: TorchNetwork, stimuli: Grid | None, mode: str = "Floating-point") -> IntegerNetwork:
    """The integer network of a learned one.

    ``stimuli`` is the grid of the codes that the data gives (``Grid(1/255, 0, 255)`` for 8-bit images) or to which its
    reals are rounded (:mod:`~n2d2py.quant.entry`); None, if there is none, is an error. ``mode`` is the word of
    ``-act-rescaling-mode``. Each rescaling comes with its proof. Raises :class:`IntegerError`, naming the cell, the
    reason and the remedy, for what has no exact integer form.
    """
    if mode not in MODES:
        raise IntegerError(f"unknown rescaling mode {mode!r}", expected=f"one of {', '.join(MODES)}")
    if stimuli is None:
        raise IntegerError(
            "the integer network has no integers to begin with: the stimuli are real numbers",
            expected="a grid: that of 8-bit images, or one that -qat-sat makes from the range of the test set",
            remedy="give the network a test set",
        )
    learning = network.training
    network.eval()
    try:
        result = _lowered(network, stimuli, mode)
    finally:
        network.train(learning)
    lint(result)
    return result


def _lowered(network: TorchNetwork, stimuli: Grid, mode: str) -> IntegerNetwork:
    graph = network.network
    bounds = [np.full(graph.stimuli.channels, bound, dtype=np.int64) for bound in (stimuli.low, stimuli.high)]
    edges = {PROVIDER: Edge(PROVIDER, graph.stimuli, stimuli, *bounds)}
    operations: list[Operation] = []
    for node in graph:
        kind = next((kind for kind in ("lowering", "island") if known(kind, node.cell.type_name)), None)
        if kind is None:
            raise IntegerError(
                f"{node.cell.type_name} cell {node.name} has no integer form",
                place=node.cell.place(),
                remedy="leave the cell out, or test the network without -qat-sat",
            )
        sources = tuple(edges[parent] for parent in node.parents)
        site = Site(node, network.layers[node.name], sources, mode, tuple(operations))
        find(kind, node.cell.type_name)(site)
        operations += site.operations
        edges |= {edge.name: edge for edge in site.edges}
    return IntegerNetwork(graph.name, tuple(operations), edges, {node.name: node.name for node in graph})
