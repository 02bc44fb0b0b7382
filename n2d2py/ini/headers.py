"""All headers of a text at once: to say of a missing parent that it stands below, or that parents go in a circle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from n2d2py.ini.inclusion import split
from n2d2py.ini.lines import logical_lines

_COMMENT = re.compile("[;#]")


def headers(text: str) -> dict[str, tuple[str, ...]]:
    """The names of the sections of a text, each with those of its parents.

    >>> headers("[a] b\\nk=1\\n[b@part.tpl]c d ; e")
    {'a': ('b',), 'b': ('c', 'd')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in logical_lines(text):
        name, bracket, rest = line.text.strip().partition("]")
        if bracket and name.startswith("["):
            included = split(name[1:])
            parents = _COMMENT.split(rest, maxsplit=1)[0].split()
            found.setdefault(included[0] if included else name[1:], tuple(parents))
    return found


def inheritance_circle(name: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """The way from ``name`` over parents back to ``name``; empty if there is none.

    >>> inheritance_circle("a", {"a": ["x", "b"], "b": ["a"]})
    ['a', 'b', 'a']
    """
    child_of = {name: ""}
    waiting = [name]
    while waiting:
        child = waiting.pop()
        for parent in parents.get(child, ()):
            if parent == name:
                circle = [name]
                while child:
                    circle.append(child)
                    child = child_of[child]
                return circle[::-1]
            if parent not in child_of:
                child_of[parent] = child
                waiting.append(parent)
    return []
