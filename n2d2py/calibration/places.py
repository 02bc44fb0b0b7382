"""Which cells get a quantizer of their output, and which of them must share its step."""

from __future__ import annotations

from n2d2py.cells.base import PROVIDER, ActivatedCell, WeightedCell
from n2d2py.cells.elemwise import ElemWise
from n2d2py.cells.softmax import Softmax
from n2d2py.graph.network import Network, Node
from n2d2py.parts.activations import Linear, Rectifier, Saturation

_STRAIGHT = (Linear, Rectifier, Saturation)
"""Functions of straight pieces: wide integers go through them as integers."""


def quantized_outputs(network: Network) -> list[str]:
    """The cells whose outputs are quantized, in order.

    They are those that compute new values. A cell that only selects among codes (a maximum, say) keeps them, and the
    last cells that compute keep their exact sums, unless a curved activation function makes reals of these.
    """
    return [node.name for node in network if _quantizes(network, node)]


def _quantizes(network: Network, node: Node) -> bool:
    cell = node.cell
    if not isinstance(cell, ActivatedCell):
        return False
    straight = cell.activation is None or isinstance(cell.activation, _STRAIGHT)
    if not straight:
        return True
    if cell.selects and not _bends(cell):
        return False
    return not _is_last(network, node)


def _bends(cell: ActivatedCell) -> bool:
    """Whether the function is more than a rectifier, which leaves codes codes."""
    function = cell.activation
    return function not in (None, Linear(), Rectifier())


def _is_last(network: Network, node: Node) -> bool:
    """Whether nothing computes on the output but a cell that gives reals, such as Softmax."""
    for child in network.children(node.name):
        keeps = child.cell.selects or isinstance(child.cell, Softmax)
        if isinstance(child.cell, ActivatedCell) and not keeps:
            return False
        if not _is_last(network, child):
            return False
    return True


def is_unsigned(node: Node, low: float) -> bool:
    """Whether the output needs no codes below 0, ``low`` being the least value that was seen.

    A sum of weights and inputs is signed even if nothing negative was seen; what others make of values that are not
    negative is not.
    """
    cell = node.cell
    assert isinstance(cell, ActivatedCell)
    if cell.activation is not None and not cell.activation.reaches_below_zero:
        return low >= 0.0
    return low >= 0.0 and not isinstance(cell, WeightedCell) and not cell.normalizes


def groups(network: Network, names: list[str]) -> list[set[str]]:
    """Sets of quantized cells whose outputs are put one after the other or compared, which takes codes of one step.

    ::

        left (8 bits, step 0.1), right (8 bits, step 0.3) -> conv      share      step 0.3
    """
    found: list[set[str]] = []
    for node in network:
        adds = isinstance(node.cell, ElemWise) and not node.cell.selects  # an exact sum takes any steps
        if len(node.parents) < 2 or adds:
            continue
        joined: set[str] = set()
        for parent in node.parents:
            joined |= _origins(network, parent, set(names))
        for group in [group for group in found if group & joined]:
            joined |= group
            found.remove(group)
        if len(joined) > 1:
            found.append(joined)
    return found


def _origins(network: Network, name: str, quantized: set[str]) -> set[str]:
    """The quantized cells whose codes arrive at ``name`` as they are."""
    if name == PROVIDER:
        return set()
    if name in quantized:
        return {name}
    node = network[name]
    if isinstance(node.cell, ActivatedCell) and not node.cell.selects:
        return set()
    return set().union(*(_origins(network, parent, quantized) for parent in node.parents))
