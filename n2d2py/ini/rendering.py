"""What a template gives for the variables of a section: a text, and where each of its lines was written.

All that a document renders is paid from one :class:`Budget`, so that no loop, doubling or chain of templates can
hang or fill the memory.
"""

from __future__ import annotations

import math
import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from n2d2py.errors import IniError, ParameterError, Place, nearest
from n2d2py.ini import template
from n2d2py.ini.evaluate import shortened
from n2d2py.ini.template import NEGATED, Block, For, If, Include, Node, Set, Template, Text, Variable
from n2d2py.kinds import Value, real, unsigned

MAX_CHARACTERS = 32 << 20
"""Longest text that the templates of a document give together, the texts of their variables among it."""

MAX_STEPS = 4_000_000
"""Most pieces of templates that are rendered for a document; each turn of a loop is at least one."""


_INCLUDE_STEPS = 50
"""What opening an included file costs beside its pieces."""


@dataclass
class Budget:
    """What is left of the two limits."""

    characters: int = MAX_CHARACTERS
    steps: int = MAX_STEPS

    def spend(self, characters: int = 0, steps: int = 0) -> None:
        """Take from it; raises ValueError with a sentence if that is more than is left."""
        self.characters -= characters
        self.steps -= steps
        if self.characters < 0:
            raise ValueError(f"templates give more than {MAX_CHARACTERS >> 20} MiB of text")
        if self.steps < 0:
            raise ValueError(f"templates take more than {MAX_STEPS} steps")


@dataclass
class Rendered:
    """A rendered text. Its physical line ``n``, from 1, was written in ``lines[n - 1]`` of ``files[n - 1]``."""

    pieces: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    blank: bool = True
    """Whether the last line holds nothing but blanks so far: then the next piece says where it was written."""

    def add(self, text: str, file: str, line: int, step: int) -> None:
        """Append a text that begins in ``line`` of ``file``; its next lines lie ``step`` further each."""
        if self.blank:
            if self.lines:
                self.files[-1], self.lines[-1] = file, line
            else:
                self.files, self.lines = [file], [line]
        self.pieces.append(text)
        ends = text.count("\n")
        if ends:
            self.files.extend([file] * ends)
            self.lines.extend(line + step * number for number in range(1, ends + 1))
            self.blank = not text[text.rfind("\n") :].strip()
        elif self.blank:
            self.blank = not text.strip()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def origin(self, number: int) -> tuple[str, int]:
        """File and line in which physical line ``number`` of the text was written."""
        return self.files[number - 1], self.lines[number - 1]


def render(
    tree: Template,
    variables: Mapping[str, str],
    *,
    chain: tuple[str, ...],
    budget: Budget,
    load: Callable[[str, Place], Template],
) -> Rendered:
    """The text of a template.

    ``chain`` says where the template is included, for the places of errors; ``load`` gives the template of an
    included file, and gets the place of the tag that names it. Raises :class:`IniError`.
    """
    work = _Rendering(tree, variables, chain, budget, load)
    work.render(tree.nodes)
    return work.output


class _Rendering:
    """The state: the file that is rendered, the variables, and where the text goes."""

    def __init__(
        self,
        tree: Template,
        variables: Mapping[str, str],
        chain: tuple[str, ...],
        budget: Budget,
        load: Callable[[str, Place], Template],
    ) -> None:
        self.file = tree.file
        self.chain = chain
        self.budget = budget
        self.load = load
        self.output = Rendered()
        # The first map is the current set of variables; a block puts a private one before it.
        self.variables: ChainMap[str, str] = ChainMap(dict(variables))
        self.included = [tree.file]
        self.depth = 0

    def render(self, nodes: Iterable[Node]) -> None:
        self.depth += 1
        for node in nodes:
            self._spend(node.line, steps=1)
            match node:
                case Text(line, text):
                    self._spend(line, characters=len(text))
                    self.output.add(text, self.file, line, 1)
                case Variable(line, name):
                    value = self._value(name, line)
                    self._spend(line, characters=len(value))
                    if value:
                        self.output.add(value, self.file, line, 0)
                case If():
                    self._if(node)
                case For():
                    self._for(node)
                case Block():
                    self._block(node)
                case Set():
                    self._set(node)
                case Include():
                    self._include(node)
        self.depth -= 1

    def _body(self, nodes: Sequence[Node], line: int) -> None:
        if self.depth > template.MAX_NESTING:
            raise self._error(f"control sections are nested more than {template.MAX_NESTING} deep", line)
        self.render(nodes)

    # ---------------------------------------------------------------------------------------- control tags

    def _if(self, node: If) -> None:
        if self._holds(node, node.test):
            self._body(node.body, node.line)
        # N2D2 asks again, after the first branch, which may have set the variable.
        if node.otherwise and self._holds(node, NEGATED[node.test]):
            self._body(node.otherwise, node.line)

    def _holds(self, node: If, test: str) -> bool:
        if test == "exists":
            return node.name in self.variables
        if test == "not_exists":
            return node.name not in self.variables
        return (self._value(node.name, node.line) == node.value) is (test == "==")

    def _for(self, node: For) -> None:
        if node.name in self.variables:
            raise self._error(
                f"the variable {shortened(node.name)} of a for exists already", node.line, remedy="give it another name"
            )
        bounds = [self._bound(word, node.line) for word in node.bounds]
        start, end = bounds if len(bounds) == 2 else (0.0, bounds[0])
        turns = max(0, math.ceil(min(end - start, MAX_STEPS + 1.0)))
        self._spend(node.line, steps=turns)
        for turn in range(turns):
            self.variables[node.name] = _formatted(start + turn)
            self._body(node.body, node.line)
        self.variables.maps[0].pop(node.name, None)

    def _bound(self, word: str, line: int) -> float:
        """The value of a literal or of a variable."""
        place = self._place(line)
        try:
            return float(real.parse(word, place))
        except ValueError:
            text = self._value(word, line)
        try:
            return float(real.parse(text, place))
        except ValueError:
            raise self._error(
                f"{shortened(word)} is {shortened(text)!r}", line, expected="a number for a bound of range"
            ) from None

    def _block(self, node: Block) -> None:
        text = self._value(node.array, node.line)
        try:
            count = int(unsigned.read(Value(text, self._place(node.line))))
        except ParameterError:
            raise self._error(
                f"{shortened(node.array)} is {shortened(text)!r}",
                node.line,
                expected="the number of elements of the array, not negative",
                remedy=f"{node.array}=2 for {node.array}[0]... and {node.array}[1]...",
            ) from None
        self._spend(node.line, steps=count + len(self.variables))
        elements: dict[str, dict[str, str]] = {}
        for name, value in self.variables.items():
            if name.startswith(f"{node.array}["):
                index, bracket, suffix = name[len(node.array) + 1 :].partition("]")
                if bracket:
                    elements.setdefault(index, {})[suffix] = value
        outside = self.variables
        for index in map(str, range(count)):
            self.variables = outside.new_child({**elements.get(index, {}), "#": index})
            self._body(node.body, node.line)
        self.variables = outside

    def _set(self, node: Set) -> None:
        outside, self.output = self.output, Rendered()
        self._body(node.body, node.line)
        text, self.output = self.output.text, outside
        self.variables[node.name] = text

    def _include(self, node: Include) -> None:
        self._spend(node.line, steps=_INCLUDE_STEPS)
        tree = self.load(node.file, self._place(node.line))
        path = os.path.realpath(node.file)
        opened = [os.path.realpath(file) for file in self.included]
        if path in opened:
            circle = [*self.included[opened.index(path) :], node.file]
            raise self._error(f"templates include each other in a circle: {' -> '.join(circle)}", node.line)
        outside = self.file, self.chain
        self.file, self.chain = tree.file, (f"included at {self.file}:{node.line}", *self.chain)
        self.included.append(tree.file)
        self._body(tree.nodes, 1)
        self.included.pop()
        self.file, self.chain = outside

    # --------------------------------------------------------------------------------------------- values

    def _value(self, name: str, line: int) -> str:
        value = self.variables.get(name)
        if value is not None:
            return value
        if name.strip() in self.variables:
            remedy = f"a name is taken with its blanks: write {{{{{name.strip()}}}}}"
        else:
            match = nearest(name, self.variables)
            remedy = f"did you mean {match}?" if match else f"give the section a line {shortened(name.strip())}=..."
        raise self._error(f"Undefined variable name: {shortened(name)}", line, remedy=remedy)

    def _spend(self, line: int, *, characters: int = 0, steps: int = 0) -> None:
        try:
            self.budget.spend(characters, steps)
        except ValueError as error:
            remedy = "does a loop, a set or an include repeat itself more than it should?"
            raise self._error(str(error), line, remedy=remedy) from None

    def _place(self, line: int) -> Place:
        return Place(self.file, line, chain=self.chain)

    def _error(self, what: str, line: int, *, expected: str | None = None, remedy: str | None = None) -> IniError:
        return IniError(what, place=self._place(line), expected=expected, remedy=remedy)


def _formatted(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.6g}"
