"""Tables of the numbers that a quantized network computes with: fixed-point formats, and widths of accumulators."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from n2d2py import console
from n2d2py.layers.accumulators import Accumulator
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.recurrent import RecurrentLayer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Grid
from n2d2py.tables import table


@dataclass(frozen=True)
class Format:
    """The grid of one tensor of a cell ("weights", "output", or a recurrent cell's name for it), and its format."""

    cell: str
    tensor: str
    grid: Grid

    @property
    def name(self) -> str:
        """``Qm.n`` or ``UQm.n``: n = -log2(scale) bits behind the binary point, m bits before it, the sign among them.

        Empty if the scale is no power of two.
        """
        mantissa, exponent = math.frexp(self.grid.scale)
        if mantissa != 0.5:
            return ""
        behind = 1 - exponent
        return f"{'U' if self.grid.low >= 0 else ''}Q{self.grid.bits - behind}.{behind}"


def formats(network: TorchNetwork) -> list[Format]:
    """The format of every tensor on a grid, in the order of the network."""
    return list(_formats(network))


def _formats(network: TorchNetwork) -> Iterator[Format]:
    for name, layer in network.layers.items():
        if isinstance(layer, WeightedLayer) and layer.quantizes:
            yield Format(name, "weights", layer.weight_codes()[1])
        if isinstance(layer, RecurrentLayer):
            yield from (Format(name, tensor, grid) for tensor, grid in layer.grids().items())
        if isinstance(layer, ActivatedLayer) and layer.quantizer is not None and layer.quantizer.ready:
            yield Format(name, "output", layer.quantizer.grid())


def print_formats(found: Sequence[Format]) -> None:
    """A table on the console, if any scale is a power of two."""
    if not any(item.name for item in found):
        return
    rows = [(item.cell, item.tensor, item.grid.bits, item.grid.scale, item.name or "-") for item in found]
    console.line("Fixed-point formats:")
    for line in table(("cell", "tensor", "bits", "scale", "format"), rows):
        console.line(line)


def print_accumulators(found: Sequence[Accumulator]) -> None:
    """A table on the console of what was promised about accumulators (QAcc.Bits), each with its proof."""
    rows = [(item.cell, item.promised, item.bits, item.low, item.high, item.proof) for item in found if item.promised]
    if not rows:
        return
    console.line("Accumulators, sum |w| x max |x| of any order of sums:")
    for line in table(("cell", "promised", "needed", "lowest", "highest", "proof"), rows):
        console.line(line)
