"""A pass: the network, or the cells of it whose names match a pattern, without quantizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from n2d2py.cells.base import ActivatedCell, Cell, WeightedCell
from n2d2py.errors import GraphError, nearest
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.quantizers import ActivationQuantizer, SatActivations


def without_quantizers(network: Network, only: Sequence[str] = ("*",), exclude: Sequence[str] = ()) -> Network:
    """The network without quantizers in the cells whose name matches a pattern of ``only`` and none of ``exclude``.

    So first and last layers stay in float: ``without_quantizers(network, only=("conv1", "fc*"))``. ::

        conv1 (LSQ) -> conv2 (LSQ) -> fc (LSQ)      becomes      conv1 -> conv2 (LSQ) -> fc

    A quantizer without levels below 0 rectifies, so that a Linear activation before it becomes a Rectifier. What is
    promised about accumulators goes too. Raises :class:`GraphError` for a pattern that no cell matches.
    """
    names = [node.name for node in network]
    for pattern in (*only, *exclude):
        if not any(fnmatchcase(name, pattern) for name in names):
            match = nearest(pattern, names)
            raise GraphError(
                f"no cell is called {pattern!r}",
                expected="the name of a cell, or a pattern such as conv*",
                remedy=f"did you mean {match}?" if match else None,
            )

    def chosen(name: str) -> bool:
        return any(fnmatchcase(name, item) for item in only) and not any(fnmatchcase(name, item) for item in exclude)

    nodes = tuple(replace(node, cell=_plain(node.cell)) if chosen(node.name) else node for node in network)
    result = replace(network, nodes=nodes)
    lint(result)
    return result


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, WeightedCell):
        cell = replace(cell, weights_quantizer=None, accumulator_bits=0, accumulator_guarantee="None")
    if isinstance(cell, ActivatedCell) and cell.activation_quantizer is not None:
        rectifies = _rectifies(cell.activation_quantizer) and cell.activation in (None, Linear())
        cell = replace(cell, activation=Rectifier() if rectifies else cell.activation, activation_quantizer=None)
    return cell


def _rectifies(quantizer: ActivationQuantizer) -> bool:
    if isinstance(quantizer, SatActivations):
        return True
    codes: Sequence[int] = getattr(quantizer, "codes", (-1,))
    return codes[0] >= 0 and not getattr(quantizer, "offset", False)
