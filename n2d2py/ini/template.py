"""The language of templates: from the text of a template file to its tree.

``{{NAME}}`` stands for the value of a variable; ``{% ... %}`` is a control tag, whose words are separated by
blanks, commas and parentheses. Everything else is text and stays as it is, the line ends around tags too.
What a tree gives for given variables is worked out in ``rendering``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from n2d2py.errors import IniError, Place, nearest
from n2d2py.ini.evaluate import shortened

MAX_NESTING = 100
"""Deepest nesting of control tags, those of included files counted with them."""

NEGATED = {"==": "!=", "!=": "==", "exists": "not_exists", "not_exists": "exists"}
"""The tests of an ``if``, each with that of its ``else``."""


@dataclass(frozen=True, slots=True)
class Text:
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Include:
    line: int
    file: str


@dataclass(frozen=True, slots=True)
class Set:
    line: int
    name: str
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class For:
    """``bounds`` are the words between the parentheses of ``range``: the end, or the start and the end."""

    line: int
    name: str
    bounds: tuple[str, ...]
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    array: str
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class If:
    """``test`` is one of :data:`NEGATED`; without an else, ``otherwise`` is empty."""

    line: int
    name: str
    test: str
    value: str
    body: Sequence[Node]
    otherwise: Sequence[Node]


Node = Text | Variable | Include | Set | For | Block | If


@dataclass(frozen=True)
class Template:
    """A parsed template file.

    ``names`` are all that its tags speak of, whether or not they come to be rendered; ``includes`` tells whether it
    names other files, which may speak of more.
    """

    file: str
    nodes: Sequence[Node]
    names: frozenset[str]
    includes: bool


class _Token(NamedTuple):
    """``mark`` is ``{{`` or ``{%`` for what stands in a tag, and empty for text."""

    mark: str
    line: int
    text: str


_OPEN = re.compile(r"\{[{%]")
_CLOSE = {"{{": "}}", "{%": "%}"}
_BETWEEN_WORDS = re.compile(r"[\s,()]+")


def parse(text: str, file: str) -> Template:
    """The tree of the text of a template file; raises :class:`IniError` at the line of what is wrong."""
    return _Parser(text, file).parse()


def _tokens(text: str, file: str) -> Iterator[_Token]:
    done, line = 0, 1
    while (opening := _OPEN.search(text, done)) is not None:
        mark, start = opening.group(), opening.start()
        if start > done:
            yield _Token("", line, text[done:start])
            line += text.count("\n", done, start)
        close = text.find(_CLOSE[mark], start + 2)
        if close < 0:
            raise IniError(
                f"Unterminated section: {mark} without {_CLOSE[mark]}",
                place=Place(file, line),
                expected=f"{_CLOSE[mark]} after {shortened(text[start : start + 100].splitlines()[0])}",
            )
        yield _Token(mark, line, text[start + 2 : close])
        line += text.count("\n", start, close)
        done = close + 2
    if done < len(text):
        yield _Token("", line, text[done:])


@dataclass
class _Open:
    """A control tag that waits for its end, and what was found behind it."""

    word: str
    line: int
    nodes: list[Node]
    close: Callable[[list[Node]], Node]
    first_branch: list[Node] | None = None


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.line = 1
        self.open: list[_Open] = []
        self.nodes: list[Node] = []
        self.names: set[str] = set()
        self.includes = False
        self.tags: dict[str, Callable[[list[str]], None]] = {
            "if": self._if,
            "else": self._else,
            "for": self._for,
            "block": self._block,
            "set": self._set,
            "include": self._include,
            "endif": self._end,
            "endfor": self._end,
            "endblock": self._end,
            "endset": self._end,
        }

    def parse(self) -> Template:
        top = self.nodes
        for token in _tokens(self.text, self.file):
            self.line = token.line
            if not token.mark:
                self.nodes.append(Text(token.line, token.text))
            elif token.mark == "{{":
                self.names.add(token.text)
                self.nodes.append(Variable(token.line, token.text))
            else:
                self._control(token.text)
        if self.open:
            word, self.line = self.open[-1].word, self.open[-1].line
            raise self._error(f"Missing end{word}", expected=f"{{% end{word} %}} further down")
        return Template(self.file, top, frozenset(self.names), self.includes)

    def _control(self, text: str) -> None:
        words = [word for word in _BETWEEN_WORDS.split(text) if word]
        if not words:
            raise self._error("an empty control section {% %}", expected=f"one of {', '.join(self.tags)}")
        tag = self.tags.get(words[0])
        if tag is None:
            match = nearest(words[0], self.tags)
            if words[0] in ("elif", "elseif"):
                remedy = "nest an {% if ... %} in an {% else %}"
            else:
                remedy = f"did you mean {match}?" if match else f"known: {', '.join(self.tags)}"
            raise self._error(f"Unknown control section: {shortened(words[0])}", remedy=remedy)
        tag(words)

    # ---------------------------------------------------------------------------- tags that have an end

    def _push(self, word: str, close: Callable[[list[Node]], Node]) -> _Open:
        if len(self.open) >= MAX_NESTING:
            raise self._error(f"control sections are nested more than {MAX_NESTING} deep")
        self.open.append(_Open(word, self.line, self.nodes, close))
        self.nodes = []
        return self.open[-1]

    def _if(self, words: list[str]) -> None:
        if len(words) < 3 or words[2] not in NEGATED:
            raise self._error(
                f"{{% {shortened(' '.join(words))} %}} has no test",
                expected="if VAR == VALUE, if VAR != VALUE, if VAR exists, if VAR not_exists, with blanks between",
            )
        line, name, test, value = self.line, words[1], words[2], words[3:]
        if len(value) > (1 if test in ("==", "!=") else 0):
            raise self._error(
                f"{{% {shortened(' '.join(words))} %}} has too many words",
                expected="a value without blanks, commas and parentheses" if test in ("==", "!=") else f"if VAR {test}",
            )
        self.names.add(name)

        def close(nodes: list[Node]) -> Node:
            body, otherwise = (nodes, []) if opened.first_branch is None else (opened.first_branch, nodes)
            return If(line, name, test, "".join(value), body, otherwise)

        opened = self._push("if", close)

    def _else(self, words: list[str]) -> None:
        if not self.open or self.open[-1].word != "if":
            inside = f"inside {{% {self.open[-1].word} %}}" if self.open else "without {% if %}"
            raise self._error(f"{{% else %}} {inside}", expected="else between if and endif")
        if self.open[-1].first_branch is not None:
            raise self._error("a second {% else %}", expected=f"one else for the if of line {self.open[-1].line}")
        if len(words) > 1:
            raise self._error("{% else %} has no test of its own", remedy="nest an {% if ... %} in the else")
        self.open[-1].first_branch, self.nodes = self.nodes, []

    def _for(self, words: list[str]) -> None:
        if not 5 <= len(words) <= 6 or words[2] != "in" or words[3] != "range":
            raise self._error(
                f"{{% {shortened(' '.join(words))} %}} is no loop",
                expected="for VAR in range(END), or for VAR in range(START, END)",
            )
        line, name, bounds = self.line, words[1], tuple(words[4:])
        self.names.update(bounds)
        self._push("for", lambda nodes: For(line, name, bounds, nodes))

    def _block(self, words: list[str]) -> None:
        line, name = self.line, self._only(words, "block ARRAY")
        self.names.add(name)
        self._push("block", lambda nodes: Block(line, name, nodes))

    def _set(self, words: list[str]) -> None:
        line, name = self.line, self._only(words, "set VAR")
        self._push("set", lambda nodes: Set(line, name, nodes))

    def _end(self, words: list[str]) -> None:
        if len(words) > 1:
            raise self._error(f"{{% {shortened(' '.join(words))} %}} has too many words", expected=words[0])
        word = words[0].removeprefix("end")
        if not self.open:
            raise self._error(f"{{% end{word} %}} without {{% {word} %}}")
        opened = self.open[-1]
        if opened.word != word:
            raise self._error(
                f"Missing end{opened.word} before {{% end{word} %}}",
                expected=f"the end of the {opened.word} of line {opened.line} first",
            )
        self.open.pop()
        opened.nodes.append(opened.close(self.nodes))
        self.nodes = opened.nodes

    # ----------------------------------------------------------------------------------------- the rest

    def _include(self, words: list[str]) -> None:
        self.includes = True
        self.nodes.append(Include(self.line, self._only(words, "include FILE")))

    def _only(self, words: list[str], expected: str) -> str:
        if len(words) != 2:
            raise self._error(f"{{% {shortened(' '.join(words))} %}} does not have two words", expected=expected)
        return words[1]

    def _error(self, what: str, *, expected: str | None = None, remedy: str | None = None) -> IniError:
        return IniError(what, place=Place(self.file, self.line), expected=expected, remedy=remedy)
