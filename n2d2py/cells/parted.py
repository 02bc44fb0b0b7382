"""Cells of boxes that carry parts and templates of their objects, as the classes have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.base import ActivatedCell, Dims
from n2d2py.errors import ParameterError
from n2d2py.kinds import list_of, unsigned
from n2d2py.parameters import declarations, parameter

TEMPLATE = 3
"""Numbers of a template."""


def most(counts: Sequence[int]) -> int:
    """The largest of the numbers that the classes have; 0 if none is given."""
    return max(counts, default=0)


@dataclass(frozen=True, kw_only=True)
class PartedCell(ActivatedCell):
    """A cell of boxes with ``parts[c]`` parts and ``templates[c]`` templates for an object of class c.

    Each of the two is an input of its own, behind the others, if some class has any.
    """

    own_meanings: ClassVar[tuple[str, ...]] = ("parts", "templates")

    part: ClassVar[int]
    """Numbers of a part: x, y, and with 3 of them its visibility."""

    parts: tuple[int, ...] = parameter("NumParts", list_of(unsigned), (), "parts of an object, a number for each class")
    templates: tuple[int, ...] = parameter(
        "NumTemplates", list_of(unsigned), (), "templates of an object, a number for each class"
    )

    @property
    def carried(self) -> dict[str, int]:
        """The inputs behind the others, in their order, with the numbers that they have for all classes together."""
        numbers = {"parts": self.part * sum(self.parts), "templates": TEMPLATE * sum(self.templates)}
        return {name: number for name, number in numbers.items() if number}

    @property
    def carried_channels(self) -> int:
        """Channels of the output behind those of a box."""
        return self.part * most(self.parts) + TEMPLATE * most(self.templates)

    def check_counts(self, classes: int) -> None:
        """Raise :class:`ParameterError` unless each list that is given has a number for each class."""
        for name in self.own_meanings:
            counts = getattr(self, name)
            if counts and len(counts) != classes:
                values = "1 value" if len(counts) == 1 else f"{len(counts)} values"
                raise ParameterError(
                    f"{declarations(type(self))[name].key} of {self.type_name} cell {self.name} has {values}",
                    place=self.place(name),
                    expected=f"{classes}, one for each class",
                )

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        if self.carried:
            told = (f"{name} {' '.join(map(str, getattr(self, name)))}" for name in self.carried)
            lines.insert(1, ", ".join(told))
        return lines
