"""What a network costs: parameters, multiplications and memory of each cell, at the bits of its quantizers.

Conventions, which are those of the literature on quantized networks:

* weights are the parameters that are multiplied by inputs; biases and what a BatchNorm learns are counted beside
  them, because fusion turns both into one bias an output;
* a MAC is one product of a weight and an input for one stimulus; products with padding count;
* BOPs are MACs x bits of the weight x bits of the input (Baskin et al. 2018, arXiv:1804.10969, without its
  accumulators);
* what no quantizer rounds has 32 bits; memory is the sum of the weights at their bits, each cell in whole bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import NamedTuple

from n2d2py.cells.base import PROVIDER, ActivatedCell, Cell, Dims, WeightedCell
from n2d2py.graph.network import Network, Node
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.tables import table

REAL = 32
"""Bits of a value that nothing quantizes."""


class Row(NamedTuple):
    """The cost of one cell. ``others`` are biases and what normalisation learns; ``size`` is that of the weights, in
    bytes. ``weight_bits`` is None for a cell without weights."""

    name: str
    type: str
    output: Dims
    weights: int
    others: int
    macs: int
    bops: int
    weight_bits: int | None
    input_bits: int
    output_bits: int
    size: int


class Total(NamedTuple):
    """The sums over a network."""

    weights: int
    others: int
    macs: int
    bops: int
    size: int


def rows(network: Network, stimuli_bits: int = REAL) -> list[Row]:
    """The cost of every cell in order; ``stimuli_bits`` are those of the values that the network is fed with.

    Weights that a cell takes from another one are counted there and cost nothing here.
    """
    bits = {PROVIDER: stimuli_bits}
    found = []
    for node in network:
        row = _row(node, max(bits[parent] for parent in node.parents))
        bits[node.name] = row.output_bits
        found.append(row)
    return found


def total(costs: Iterable[Row]) -> Total:
    """The sums of a table."""
    listed = list(costs)
    return Total(*(sum(getattr(row, name) for row in listed) for name in Total._fields))


def _row(node: Node, input_bits: int) -> Row:
    cell = node.cell
    weights, others = cell.parameters(node.inputs, node.output)
    macs = cell.macs(node.inputs, node.output)
    weight_bits = _weight_bits(cell) if macs else None
    return Row(
        name=node.name,
        type=cell.type_name,
        output=node.output,
        weights=weights,
        others=others,
        macs=macs,
        bops=macs * (weight_bits or 0) * input_bits,
        weight_bits=weight_bits,
        input_bits=input_bits,
        output_bits=_output_bits(cell, input_bits),
        size=-(-weights * (weight_bits or REAL) // 8),
    )


def _weight_bits(cell: Cell) -> int:
    quantizer = cell.weights_quantizer if isinstance(cell, WeightedCell) else None
    return REAL if quantizer is None or quantizer.clamps_only else quantizer.bits


def _output_bits(cell: Cell, input_bits: int) -> int:
    if not isinstance(cell, ActivatedCell):
        return input_bits if cell.selects else REAL
    if cell.activation_quantizer is not None:
        return cell.activation_quantizer.bits
    keeps = cell.activation in (None, Linear(), Rectifier())
    return input_bits if cell.selects and keeps else REAL


# ------------------------------------------------------------------------------------------------ as text

_HEADERS = ("cell", "type", "output", "weights", "others", "MACs", "BOPs", "w bits", "in bits", "out bits", "bytes")


def lines(costs: list[Row]) -> list[str]:
    """The table as plain text with its sums below."""
    shown = [[row.name, row.type, _dims(row.output), *row[3:]] for row in costs]
    sums = total(costs)
    shown.append(["total", "", "", *sums[:4], "", "", "", sums.size])
    return [*table(_HEADERS, [[_grouped(value) for value in row] for row in shown]), *summary(sums)]


def summary(sums: Total) -> list[str]:
    """The sums in words."""
    return [
        f"parameters: {sums.weights:,} weights, and {sums.others:,} biases and parameters of normalisation",
        f"memory of the weights: {sums.size:,} bytes ({sums.size / 1e6:.3g} MB)",
        f"one stimulus: {sums.macs:,} MACs, {sums.bops:,} BOPs",
    ]


def csv_text(costs: list[Row]) -> str:
    """The table as CSV: a header, a line a cell, ``total`` in the last line."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in costs:
        writer.writerow([*row[:2], _dims(row.output), *row[3:]])
    sums = total(costs)
    writer.writerow(["total", "", "", *sums[:4], "", "", "", sums.size])
    return stream.getvalue()


def _dims(dims: Dims) -> str:
    return "x".join(map(str, dims.shape))


def _grouped(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value
