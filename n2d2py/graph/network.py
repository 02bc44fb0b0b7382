"""``Network``: an ordered directed acyclic graph of cells, with the dimensions of every edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from n2d2py.cells.base import PROVIDER, Cell, Cost, Dims
from n2d2py.parts.targets import Target


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

    @property
    def name(self) -> str:
        return self.cell.name

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the cells that feed this one; the provider of stimuli is ``env``."""
        return self.cell.inputs


@dataclass(frozen=True)
class Network:
    """Cells in the order in which they are computed, and the targets of those that have one."""

    name: str
    stimuli: Dims
    batch_size: int
    nodes: tuple[Node, ...]
    targets: tuple[Target, ...] = ()

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
        return [node for node in self.nodes if name in node.parents]

    def dims(self, name: str) -> Dims:
        """Dimensions of what ``name`` (a cell or ``env``) gives."""
        return self.stimuli if name == PROVIDER else self[name].output

    @property
    def cost(self) -> Cost:
        """Neurons, nodes, synapses, virtual synapses and connections of all cells together."""
        return sum((node.cell.cost(node.inputs, node.output) for node in self.nodes), Cost())
