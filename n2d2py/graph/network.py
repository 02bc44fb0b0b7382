"""``Network``: an ordered directed acyclic graph of cells, with the dimensions of every edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from n2d2py.cells.base import PROVIDER, Cell, Cost, Dims
from n2d2py.parts.targets import Target

FRAME = "Frame"
"""The model of a cell that is computed on frames, as all are that learn here."""


@dataclass(frozen=True)
class Node:
    """A cell at its place in the network.

    ``maps`` holds, for each input that is not fully connected, which channel is connected to which output:
    bool (channels of the input, outputs).
    """

    cell: Cell
    inputs: tuple[Dims, ...]
    output: Dims
    maps: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)
    model: str = FRAME
    """The model that the INI file asks for; a spiking one can be drawn and does not learn."""

    @property
    def name(self) -> str:
        return self.cell.name

    @cached_property
    def cost(self) -> Cost:
        """Neurons, nodes, synapses and connections, as N2D2 counts them."""
        return self.cell.cost(self.inputs, self.output)

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the cells that feed this one; the provider of stimuli is ``env``."""
        return self.cell.inputs


@dataclass(frozen=True)
class Network:
    """Cells in the order in which they are computed, and the targets of those that have one.

    ``initial`` holds the values that a cell begins with in place of those of its fillers, by cell and then by the
    name of the tensor in weight files ("weights", "biases", "scales", "means", "variances"): an imported model's.
    ``shared`` holds, by cell and then by the same names, the cell whose tensor is used in place of one of its own;
    that cell has the tensor itself.
    """

    name: str
    stimuli: Dims
    batch_size: int
    nodes: tuple[Node, ...]
    targets: tuple[Target, ...] = ()
    initial: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict, compare=False, repr=False)
    shared: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def children(self, name: str) -> list[Node]:
        """The nodes that ``name`` (a cell or ``env``) feeds, in order."""
        return self._fed.get(name, [])

    @cached_property
    def _fed(self) -> dict[str, list[Node]]:
        fed: dict[str, list[Node]] = {}
        for node in self.nodes:
            for parent in dict.fromkeys(node.parents):
                fed.setdefault(parent, []).append(node)
        return fed

    def dims(self, name: str) -> Dims:
        """Dimensions of what ``name`` (a cell or ``env``) gives."""
        return self.stimuli if name == PROVIDER else self[name].output

    @property
    def spiking(self) -> list[Node]:
        """The nodes whose model computes with spikes, which cannot learn here."""
        return [node for node in self.nodes if node.model != FRAME]

    @property
    def cost(self) -> Cost:
        """Neurons, nodes, synapses, virtual synapses and connections of all cells together."""
        return sum((node.cost for node in self.nodes), Cost())
