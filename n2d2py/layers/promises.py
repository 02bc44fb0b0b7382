"""``QAcc.Guarantee``: weight quantizers are told, before learning, what the codes of an output may sum up to."""

from __future__ import annotations

from collections.abc import Mapping

from n2d2py.cells.base import PROVIDER, WeightedCell
from n2d2py.errors import GraphError
from n2d2py.graph.network import Network
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Layer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.budgets import budget

STIMULI = (0, 255)
"""Codes of stimuli of 8 bits; testing proves the promise with those that the stimuli have."""


def bound_weights(network: Network, layers: Mapping[str, Layer]) -> None:
    """Tell the weight quantizers of cells with ``QAcc.Guarantee`` what their codes may sum up to.

    Raises :class:`GraphError` where that is not known, or the quantizer has no such bound.
    """
    for name, layer in layers.items():
        cell = network[name].cell
        if not isinstance(cell, WeightedCell) or cell.accumulator_guarantee == "None":
            continue
        assert isinstance(layer, WeightedLayer)
        place = cell.place("accumulator_guarantee")
        if layer.weights_quantizer is None or not layer.weights_quantizer.bounds_sums:
            raise GraphError(
                f"QAcc.Guarantee={cell.accumulator_guarantee} of cell {name} with weights whose codes have no bound",
                place=place,
                expected="QWeight=LSQ, with levels that follow one another",
                remedy="QAcc.Guarantee=None, so that testing checks what was learned",
            )
        spans = [_span(network, layers, parent, name) for parent in network[name].parents]
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        centred = cell.accumulator_guarantee == "A2Q+"
        layer.weights_quantizer.bound(budget(cell.accumulator_bits, low, high, centred))


def _span(network: Network, layers: Mapping[str, Layer], name: str, child: str) -> tuple[int, int]:
    """The lowest and the highest code that ``name`` gives, 0 included."""
    if name == PROVIDER:
        return STIMULI
    layer = layers[name]
    if isinstance(layer, ActivatedLayer) and layer.quantizer is not None:
        if (span := layer.quantizer.span) is not None:
            return span
    elif layer.keeps_codes and network[name].cell.selects:
        spans = [_span(network, layers, parent, child) for parent in network[name].parents]
        return min(0, *(span[0] for span in spans)), max(0, *(span[1] for span in spans))
    raise GraphError(
        f"the codes that cell {name} gives to {child} are not known before learning",
        place=network[child].cell.place("accumulator_guarantee"),
        expected=f"a quantizer of the output of {name} (QAct) without an offset",
        remedy="QAcc.Guarantee=None, so that testing checks what was learned",
    )
