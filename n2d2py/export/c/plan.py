"""Which operations become one C function, and where their results lie in the arena.

A rescaling is computed where its accumulator is made, so that accumulators are never stored. Results lie in one static
arena: two share bytes only if the last use of one comes before the other is made. Places are given greedily, the
largest result first, each at the lowest free offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.c.types import SIZES, type_of
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.movement import Reshaping
from n2d2py.integer.operations import Identity, Operation, Requantization, SumPool, Weighted

_ALIGNMENT = 8
_MAKES_SUMS = (Weighted, SumPool, Alignment)
_HANDS_ON = (Identity, Reshaping)


@dataclass(frozen=True, eq=False)
class Step:
    """One C function: an operation, and the rescaling that it does on the way, if any."""

    operation: Operation
    rescaling: Requantization | None = None

    @property
    def name(self) -> str:
        """The name of what it gives."""
        return self.operation.name if self.rescaling is None else self.rescaling.name


class Plan:
    """Steps, aliases and places of an export."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self.aliases: dict[str, str] = {}
        self.steps: list[Step] = []
        fused: set[str] = set()
        for operation in export.operations:
            if operation.name in fused:
                continue
            if isinstance(operation, _HANDS_ON):
                self.aliases[operation.name] = self.place_of(operation.inputs[0])
                continue
            rescaling = self._rescaling(operation)
            if rescaling is not None:
                fused.add(rescaling.name)
            self.steps.append(Step(operation, rescaling))

    def _rescaling(self, operation: Operation) -> Requantization | None:
        takers = self.export.network.consumers(operation.name)
        if not isinstance(operation, _MAKES_SUMS) or operation.name in self.export.outputs or len(takers) != 1:
            return None
        return takers[0] if isinstance(takers[0], Requantization) else None

    def place_of(self, name: str) -> str:
        """The name under which the codes of ``name`` lie in memory."""
        return self.aliases.get(name, name)

    def type_of(self, name: str) -> str:
        """The C type of what lies under a name."""
        return type_of(self.export.network.edges[name])

    def bytes_of(self, name: str) -> int:
        """How many bytes it takes."""
        return self.export.network.edges[name].dims.size * SIZES[self.type_of(name)]

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Offset in the arena of the result of each step, in bytes."""
        made = {step.name: index for index, step in enumerate(self.steps)}
        last = dict(made)
        for index, step in enumerate(self.steps):
            for name in step.operation.inputs:
                last[self.place_of(name)] = index
        for name in self.export.outputs:
            last[self.place_of(name)] = len(self.steps)
        placed: dict[str, int] = {}
        for name in sorted(made, key=lambda one: (-self.bytes_of(one), made[one])):
            others = [one for one in placed if made[one] <= last[name] and made[name] <= last[one]]
            placed[name] = self._lowest(name, others, placed)
        return placed

    def _lowest(self, name: str, others: list[str], placed: dict[str, int]) -> int:
        offset = 0
        for one in sorted(others, key=lambda other: placed[other]):
            if offset + self.bytes_of(name) <= placed[one]:
                break
            offset = max(offset, -(-(placed[one] + self.bytes_of(one)) // _ALIGNMENT) * _ALIGNMENT)
        return offset

    @property
    def arena(self) -> int:
        """Bytes of the arena."""
        ends = [offset + self.bytes_of(name) for name, offset in self.offsets.items()]
        return -(-max(ends, default=0) // _ALIGNMENT) * _ALIGNMENT

    def pointer(self, name: str) -> str:
        """The C expression of a pointer to the codes of a name."""
        place = self.place_of(name)
        if place == PROVIDER:
            return "stimulus"
        type_ = self.type_of(place)
        return f"arena->as_{type_} + {self.offsets[place] // SIZES[type_]}"
