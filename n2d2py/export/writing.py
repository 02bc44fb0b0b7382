"""What the emitters of both ONNX dialects see: one operation, the tensors that come in, and its edges."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.export.base import Export
from n2d2py.export.qlinear.graph import Graph, Value
from n2d2py.integer.operations import Edge, Operation


@dataclass(eq=False)
class Writing:
    """One operation that is being written. ``values`` holds what has been written so far, by operation."""

    export: Export
    graph: Graph
    operation: Operation
    values: dict[str, Value]

    @property
    def inputs(self) -> list[Value]:
        """The tensors that come in."""
        return [self.values[name] for name in self.operation.inputs]

    @property
    def sources(self) -> list[Edge]:
        """Their edges."""
        return self.export.network.sources(self.operation)

    @property
    def made(self) -> Edge:
        """The edge of the operation."""
        return self.export.network.edges[self.operation.name]
