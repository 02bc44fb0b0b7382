"""An INI file written anew, with the quantizers of another network: everything that it inherits stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from n2d2py.errors import GraphError, Place
from n2d2py.graph.network import Network
from n2d2py.ini import Document
from n2d2py.parameters import declarations

_FIELDS = (
    "weights_quantizer",
    "weights_quantizer_solver",
    "activation",
    "activation_quantizer",
    "activation_quantizer_solver",
)
_PREFIXES = ("QWeight", "QAct", "ActivationFunction")


def rewritten(document: Document, before: Network, after: Network, title: str) -> str:
    """The sections of a document, inheritance and templates written out, with the cells of ``after``.

    A cell that differs has a comment above the keys that it got. Paths of files that are there become absolute, so
    that the text can stand in another folder. Raises :class:`GraphError` for a cell that has no section.
    """
    lines = [f"; {title}"]
    for name, section in document.sections.items():
        changes: dict[str, str] = {}
        if any(node.name == name for node in before):
            changes = _changes(before[name].cell, after[name].cell)
        lines += ["", f"[{name}]"] if name else []
        for key, text in section.properties.items():
            if not changes or not _is_of_quantizers(key):
                lines.append(f"{key}={_written(document, text)}")
        if changes:
            lines.append("; of the recipe:")
            lines += [f"{key}={text}" for key, text in changes.items()]
    for node in before:
        if node.name not in document.sections and before[node.name].cell != after[node.name].cell:
            raise GraphError(
                f"the recipe changes cell {node.name}, which has no section of its own",
                place=node.cell.place() or Place(document.file),
                remedy=f"a section [{node.name}] for it; cells of an ONNX model can have one",
            )
    return "\n".join(lines) + "\n"


def _changes(before: Any, after: Any) -> dict[str, str]:
    """The keys of all that belongs to quantizers, if any of it differs."""
    if before == after:
        return {}
    known = declarations(type(after))
    found: dict[str, str] = {}
    for field in _FIELDS:
        if field in known and getattr(after, field) is not None:
            found |= known[field].written(getattr(after, field))
    return {key: text for key, text in found.items() if text}


def _is_of_quantizers(key: str) -> bool:
    return key.startswith(_PREFIXES)


def _written(document: Document, text: str) -> str:
    """A value as it is written again: quoted where it must be, the path of a file that is there made absolute."""
    for base in (Path.cwd(), Path(document.file).parent):
        if text and "$" not in text and ("/" in text or "." in text) and (base / text).exists():
            return f'"{(base / text).resolve()}"'
    return f'"{text}"' if re.search(r"[;#]", text) and '"' not in text else text
