"""Cross-layer equalization (Nagel et al. 2019, "Data-free quantization through weight equalization", section 4.1).

Between two cells with weights a positive factor of each channel may move from one to the other, where what lies
between them lets factors through: f(s x) = s f(x). With r1 = max|w| of a channel's row in the first cell and r2 that of
its column in the second, equations 11 and 12 give both the range sqrt(r1 r2):

    row and bias * sqrt(r1 r2) / r1,     column * sqrt(r1 r2) / r2
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.cells.base import ActivatedCell, Cell, WeightedCell
from n2d2py.cells.fc import Fc
from n2d2py.graph.network import Node
from n2d2py.layers.kernels import KernelLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.pool import PoolLayer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.parts.activations import Linear, Rectifier

_SWEEPS = 100
_TOLERANCE = 1e-3
_DEAD = 1e-4
"""Channels whose range is below this share of the largest are left: their factor would blow up a bias or an output."""
_PASSING = ("Dropout", "Padding", "Resize", "Activation")


@dataclass(frozen=True)
class Equalized:
    """The pairs of cells, and the largest ratio of the ranges of two channels of a first cell, before and after."""

    pairs: tuple[tuple[str, str], ...]
    before: float
    after: float


def pairs(learned: TorchNetwork) -> list[tuple[str, str]]:
    """The pairs of cells between which factors may move, in the order of the first.

    The second is fed by the first alone, and the first feeds nothing else; between them there are at most cells that
    treat each channel alone and let positive factors through.
    """
    graph = learned.network
    targeted = {target.cell for target in graph.targets}
    referred = {name for node in graph for name in node.cell.refers_to}
    found = []
    for node in graph:
        if not isinstance(node.cell, WeightedCell):
            continue
        second = _follow(learned, node, targeted | referred)
        if second is not None:
            found.append((node.name, second))
    return found


def _follow(learned: TorchNetwork, node: Node, kept: set[str]) -> str | None:
    graph, reshaped = learned.network, False
    current = node
    while current.name not in kept and _is_homogeneous(current.cell):
        children = graph.children(current.name)
        if len(children) != 1 or len(children[0].parents) != 1:
            return None
        current = children[0]
        if isinstance(current.cell, WeightedCell):
            fits = isinstance(current.cell, Fc) or not reshaped
            return current.name if fits else None
        reshaped = reshaped or current.cell.type_name == "Reshape"
        if not _passes(learned, current):
            return None
    return None


def _is_homogeneous(cell: Cell) -> bool:
    """Whether f(s x) = s f(x) for every s > 0: no function, or a rectifier without clipping, with any slope."""
    if not isinstance(cell, ActivatedCell) or cell.activation is None:
        return True
    function = cell.activation
    return function == Linear() or (isinstance(function, Rectifier) and not function.clipping)


def _passes(learned: TorchNetwork, node: Node) -> bool:
    layer = learned.layers[node.name]
    if isinstance(layer, PoolLayer):
        return layer.unit
    return node.cell.type_name in (*_PASSING, "Reshape")


@dataclass(eq=False)
class _Side:
    """Weights of a cell in float64, and views of them by output and by input channel."""

    layer: WeightedLayer
    weights: Tensor
    biases: Tensor | None

    @classmethod
    def of(cls, layer: WeightedLayer) -> _Side:
        biases = None if layer.biases is None else layer.biases.detach().double()
        return cls(layer, layer.connected(layer.weights.detach().double()), biases)

    def columns(self, channels: int) -> Tensor:
        """(groups, outputs of a group, channels of a group, places), a view."""
        groups = self.layer.groups if isinstance(self.layer, KernelLayer) else 1
        return self.weights.view(groups, self.weights.shape[0] // groups, channels // groups, -1)

    def row_ranges(self) -> Tensor:
        return self.weights.abs().flatten(1).amax(1)

    def column_ranges(self, channels: int) -> Tensor:
        return self.columns(channels).abs().amax((1, 3)).flatten()

    def scale_rows(self, factors: Tensor) -> None:
        self.weights.mul_(factors.view(-1, *[1] * (self.weights.dim() - 1)))
        if self.biases is not None:
            self.biases.mul_(factors)

    def scale_columns(self, factors: Tensor) -> None:
        view = self.columns(len(factors))
        view.mul_(factors.view(view.shape[0], 1, view.shape[2], 1))


@torch.no_grad()
def equalize(learned: TorchNetwork) -> Equalized:
    """Equalize the weights of a float network in place; what it computes stays the same but for float rounding."""
    found = pairs(learned)
    sides = {name: _Side.of(_weighted(learned, name)) for pair in found for name in pair}
    before = _spread(found, sides)
    for _ in range(_SWEEPS):
        if not sum(_balance(sides[first], sides[second]) > _TOLERANCE for first, second in found):
            break
    for side in sides.values():
        side.layer.weights.copy_(side.weights)
        if side.layer.biases is not None and side.biases is not None:
            side.layer.biases.copy_(side.biases)
    return Equalized(tuple(found), before, _spread(found, sides))


def _weighted(learned: TorchNetwork, name: str) -> WeightedLayer:
    layer = learned.layers[name]
    assert isinstance(layer, WeightedLayer)
    return layer


def _balance(first: _Side, second: _Side) -> float:
    """One step between two cells; gives max|r1 - r2| as it was, as a share of the larger of all ranges."""
    rows = first.row_ranges()
    columns = second.column_ranges(len(rows))
    alive = (rows > _DEAD * rows.max()) & (columns > _DEAD * columns.max())
    if not bool(alive.any()):
        return 0.0
    one = torch.ones_like(rows)
    ratio = torch.where(alive, columns, one) / torch.where(alive, rows, one)
    factors = ratio.sqrt()
    first.scale_rows(factors)
    second.scale_columns(1.0 / factors)
    distance = float((rows - columns)[alive].abs().max())
    return distance / max(float(rows.max()), float(columns.max()))


def _spread(found: list[tuple[str, str]], sides: dict[str, _Side]) -> float:
    return max((max(_ratios(sides[first].row_ranges())) for first, _ in found), default=1.0)


def _ratios(ranges: Tensor) -> Iterator[float]:
    yield 1.0
    alive = ranges[ranges > _DEAD * ranges.max()]
    if len(alive):
        ratio = float(alive.max() / alive.min())
        if math.isfinite(ratio):
            yield ratio
