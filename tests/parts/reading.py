"""A part read from the keys of a section."""

from __future__ import annotations

from typing import Any

from n2d2py import ini, parts, registry
from n2d2py.parameters import read

_ROOM = parts  # importing it registers the parts


def part(kind: str, name: str, lines: str = "") -> Any:
    """The part of a kind with the keys ``lines``, separated by ``|``."""
    document = ini.loads("[c]\n" + "\n".join(lines.split("|")) + "\n", file="net.ini")
    scope = document.scope("c")
    found = read(registry.find(kind, name), scope, **({"name": "c.Target", "cell": "c"} if kind == "target" else {}))
    scope.close(strict=True)
    return found
