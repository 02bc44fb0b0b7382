"""What a run says about the network that it builds: each cell, and the sums over all of them."""

from __future__ import annotations

from n2d2py import console
from n2d2py.cells.base import WeightedCell
from n2d2py.graph.network import Network, Node
from n2d2py.registry import name_of


def report_cell(node: Node) -> None:
    """The lines of one cell, as N2D2 prints them; dimensions are width, height, channels."""
    cell, cost = node.cell, node.cost
    console.line(f"Layer: {cell.name} [{cell.type_name}({node.model})]")
    if isinstance(cell, WeightedCell) and cell.weights_quantizer is not None:
        console.line(f"Added {name_of('weight quantizer', type(cell.weights_quantizer))} quantizer to {cell.name}")
    if cell.shares_weights:
        console.line(f"  # Shared synapses: {cost.synapses}")
        console.line(f"  # Virtual synapses: {cost.virtual_synapses}")
    elif cost.synapses:
        console.line(f"  # Synapses: {cost.synapses}")
    for dims in node.inputs:
        console.line(f"  # Inputs dims: {dims} ")
    console.line(f"  # Outputs dims: {node.output} ")


def report_totals(network: Network) -> None:
    """The five sums, as N2D2 prints them."""
    for name, total in zip(network.cost._fields, network.cost, strict=True):
        console.line(f"Total number of {name.replace('_', ' ')}: {total}")
