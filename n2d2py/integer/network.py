"""``IntegerNetwork``: the operations of the integer graph, in order, and the edges between them.

All tensors are int64 numpy arrays. Each edge carries its own grid (scale and range of its codes); nothing global
runs along. What the operations compute is defined by :mod:`~n2d2py.integer.interpreter`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from n2d2py.cells.base import PROVIDER
from n2d2py.integer.operations import Edge, Lookup, Operation, Requantization


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """Operations in the order in which they are computed; ``edges`` holds the stimuli's and each operation's.

    ``outputs`` names, for each cell of the learned network, the operation that gives its output. ``lookup``, if there
    is one, makes the codes of the stimuli from bytes.
    """

    name: str
    operations: tuple[Operation, ...]
    edges: dict[str, Edge]
    outputs: dict[str, str]
    lookup: Lookup | None = None

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def __getitem__(self, name: str) -> Operation:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Operation]:
        return {operation.name: operation for operation in self.operations}

    @property
    def stimuli(self) -> Edge:
        """The edge of the stimuli."""
        return self.edges[PROVIDER]

    @property
    def islands(self) -> list[str]:
        """Names of the operations on real numbers."""
        return [operation.name for operation in self if self.edges[operation.name].grid is None]

    @property
    def exact(self) -> bool:
        """Whether every rescaling is proved equal to the learned step function."""
        return all(operation.proof.exact for operation in self if isinstance(operation, Requantization))

    def sources(self, operation: Operation) -> list[Edge]:
        """The edges that come into an operation."""
        return [self.edges[name] for name in operation.inputs]

    def consumers(self, name: str) -> list[Operation]:
        """The operations that take what ``name`` gives."""
        return [operation for operation in self if name in operation.inputs]

    def text(self) -> str:
        """The text form: one line for the stimuli and for each operation."""
        first = f"{PROVIDER}: {_edge_text(self.stimuli)}" if self.lookup is None else self._line(self.lookup)
        return "\n".join([f"integer network {self.name}", first, *map(self._line, self)])

    def _line(self, operation: Operation) -> str:
        kind, detail = type(operation).__name__, operation.detail()
        call = f"{kind}({', '.join(operation.inputs)})" + (f" [{detail}]" if detail else "")
        return f"{operation.name} = {call}: {_edge_text(self.edges[operation.name])}"


def _edge_text(edge: Edge) -> str:
    shape = "x".join(map(str, edge.dims.shape))
    if edge.grid is None:
        return f"{shape} real"
    return f"{shape} codes {int(edge.low.min())}..{int(edge.high.max())}, scale {edge.grid.scale:.6g}"
