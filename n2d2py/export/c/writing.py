"""Where an emitter works: one step, the C names and types of what it takes and gives, and where results go."""

from __future__ import annotations

from dataclasses import dataclass, field

from n2d2py.cells.base import Dims
from n2d2py.errors import IntegerError
from n2d2py.export.base import no_form
from n2d2py.export.c.plan import Plan, Step
from n2d2py.integer.operations import Edge, Operation
from n2d2py.registry import names

KIND = "c operation"


@dataclass(eq=False)
class Site:
    """One step that is being written.

    ``c`` is its C name. ``constants`` collects arrays, which stand before the function; ``flash`` counts their bytes,
    ``macs`` the products of a run, ``row`` the weights that it unpacks at a time.
    """

    plan: Plan
    step: Step
    c: str
    constants: list[str] = field(default_factory=list)
    flash: int = 0
    weights_flash: int = 0
    macs: int = 0
    row: int = 0
    wide_row: bool = False
    call: str = ""
    """The function of another step that is alike, if there is one."""

    @property
    def operation(self) -> Operation:
        """The operation; its rescaling is done by :meth:`store`."""
        return self.step.operation

    @property
    def sources(self) -> list[Edge]:
        """The edges that come in."""
        return self.plan.export.network.sources(self.operation)

    @property
    def made(self) -> Edge:
        """The edge that the operation itself makes, before a rescaling."""
        return self.plan.export.network.edges[self.operation.name]

    def input_type(self, index: int = 0) -> str:
        """C type of an input."""
        return self.plan.type_of(self.plan.place_of(self.operation.inputs[index]))

    @property
    def output_type(self) -> str:
        """C type of the result."""
        return self.plan.type_of(self.step.name)

    def store(self, place: str, value: str, channel: str) -> str:
        """The statement that stores a value, rescaled if the step does so."""
        if self.step.rescaling is None:
            return f"y[{place}] = ({self.output_type})({value});"
        return f"y[{place}] = {self.c}_rescaled({value}, {channel});"

    def add(self, lines: list[str], count: int, size: int, weights: bool = False) -> None:
        """Add a constant array of ``count`` values of ``size`` bytes."""
        self.constants += [*lines, ""]
        self.flash += count * size
        if weights:
            self.weights_flash += count * size

    def no_form(self, why: str = "") -> IntegerError:
        """The error that the operation cannot be written in C."""
        return no_form(self.operation, "C", names(KIND), why)

    def check_flat(self) -> None:
        """Raise the error of values that have a depth."""
        for edge in (*self.sources, self.made):
            if edge.dims.depth > 1:
                raise self.no_form("its values have a depth")


def block(head: str, body: list[str]) -> list[str]:
    """A statement with a body in braces."""
    return [head + " {", *("    " + line for line in body), "}"]


def counted(name: str, count: int, body: list[str]) -> list[str]:
    """``body`` for name = 0 .. count - 1."""
    return block(f"for (int {name} = 0; {name} < {count}; ++{name})", body)


def loops(dims: Dims, body: list[str]) -> list[str]:
    """``body`` for each channel c, plane w (if there is a depth), row v and column u."""
    for name, count in reversed(list(zip(places(dims), dims.shape, strict=True))):
        body = counted(name, count, body)
    return body


def places(dims: Dims) -> tuple[str, ...]:
    """The names of the indices of a code."""
    return ("c", "w", "v", "u") if dims.depth > 1 else ("c", "v", "u")


def at(dims: Dims, *names: str) -> str:
    """The place of a code: x + width * (y + height * (z + depth * c)); the usual names if none are given."""
    place, *others = names or places(dims)
    for index, (name, count) in enumerate(zip(others, dims.shape[1:], strict=True)):
        place = f"{place if index == 0 else f'({place})'} * {count} + {name}"
    return place


def pass_over(dims: Dims, other: Dims) -> str:
    """The place in an input of dims ``other`` for a place of ``dims``; an input of one place serves all places."""
    single = other.size == other.channels and dims.size > dims.channels
    return "c" if single else at(dims)
