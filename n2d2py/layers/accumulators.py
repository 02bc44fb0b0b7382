"""The width of accumulators as a promise: ``QAcc.Bits`` is proved for what was learned, or found broken.

The sums of products of a cell are integers. With weights q and input codes from l <= 0 to h >= 0 (0 is padding), every
sum of some of the products of an output, in whatever order, lies between

    l sum of q+ - h sum of |q-|    and    h sum of q+ - l sum of |q-|

q+ being the weights above 0 and q- those below. It is so much and no less: inputs at the ends reach it. The promise
holds if both ends fit into a two's complement word of that many bits. A real bias that becomes an integer is added
later, and is not part of these sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.graph.network import Network
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded


@dataclass(frozen=True)
class Accumulator:
    """The sums of products of one cell, in exact integers.

    ``weights`` is the largest sum of |q| of an output, ``inputs`` the largest magnitude of an input code; ``low`` and
    ``high`` are the smallest and the largest sum. ``promised`` is QAcc.Bits, 0 without one.
    """

    cell: str
    weights: int
    inputs: int
    low: int
    high: int
    promised: int = 0

    @property
    def bits(self) -> int:
        """Bits of the narrowest two's complement word that holds every sum."""
        return 1 + max((-self.low - 1).bit_length() if self.low < 0 else 0, self.high.bit_length())

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return not self.promised or self.bits <= self.promised

    @property
    def proof(self) -> str:
        """The inequality that shows it, or shows that it is broken."""
        if not self.promised:
            return ""
        limit, largest = (1 << (self.promised - 1)) - 1, self.weights * self.inputs
        if largest <= limit:
            return f"{self.weights} x {self.inputs} = {largest} <= {limit}"
        relation = "within" if self.holds else "not within"
        return f"{self.low} .. {self.high} {relation} {-limit - 1} .. {limit}"


def accumulators(network: TorchNetwork, stimuli: Coded) -> list[Accumulator]:
    """The accumulators of all cells that multiply integer weights by integer codes, in the order of the network.

    ``stimuli`` are some of those that it is tested on: their grid counts, not their values. Raises
    :class:`IntegerError` for a cell with ``QAcc.Bits`` whose sums are no integers.
    """
    values: Mapping[str, Coded] = {PROVIDER: stimuli, **network.evaluate(stimuli)}
    found = []
    for layer in network.layers.values():
        if not isinstance(layer, WeightedLayer):
            continue
        joined = layer.join_codes([values[parent] for parent in layer.node.parents])
        if joined.grid is None or not layer.quantizes:
            if layer.cell.accumulator_bits:
                raise _no_integers(layer, "its weights" if not layer.quantizes else "its inputs")
            continue
        inputs = fold(joined).grid
        assert inputs is not None  # folding keeps the grid
        found.append(_of(layer, min(inputs.low, 0), max(inputs.high, 0)))
    return found


def _of(layer: WeightedLayer, low: int, high: int) -> Accumulator:
    codes = layer.weight_codes()[0].flatten(1).long()
    # 64 bits hold the sums of codes of 24 bits; their products with inputs are Python's integers, of any size.
    above, below = codes.clamp(min=0).sum(1).tolist(), codes.clamp(max=0).sum(1).neg_().tolist()
    sums = list(zip(above, below, strict=True))
    ends = [(plus * low - minus * high, plus * high - minus * low) for plus, minus in sums]
    return Accumulator(
        cell=layer.node.name,
        weights=max(plus + minus for plus, minus in sums),
        inputs=max(-low, high),
        low=min(end[0] for end in ends),
        high=max(end[1] for end in ends),
        promised=layer.cell.accumulator_bits,
    )


def check(found: list[Accumulator], network: Network) -> None:
    """Raise :class:`IntegerError` for the first cell whose promise is broken."""
    for item in found:
        if not item.holds:
            raise IntegerError(
                f"accumulators of cell {item.cell} need {item.bits} bits: {item.proof}",
                place=network[item.cell].cell.place("accumulator_bits"),
                expected=f"QAcc.Bits={item.promised} as promised, or QAcc.Bits={item.bits}",
                remedy="learn with QAcc.Guarantee=A2Q+ (or A2Q), which keeps the weights within the promise",
            )


def _no_integers(layer: WeightedLayer, what: str) -> IntegerError:
    return IntegerError(
        f"QAcc.Bits={layer.cell.accumulator_bits} of cell {layer.node.name}: {what} are not integers times a scale",
        place=layer.cell.place("accumulator_bits"),
        expected="quantized weights (QWeight), and quantized outputs (QAct) of the cells before",
    )
