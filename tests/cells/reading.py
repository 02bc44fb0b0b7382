"""A cell from the lines of its section, without a network around it."""

from __future__ import annotations

from typing import Any

from n2d2py import cells, ini, parts, registry
from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.parameters import read
from n2d2py.parts import provider

ROOMS = (cells, parts)


def cell(type_name: str, lines: str, *configs: str) -> Any:
    """A cell named ``c`` with the keys ``lines``, separated by ``|``; ``configs`` are its configuration sections."""
    text = "[c]\n" + "\n".join(lines.split("|")) + "\n" + ("" if "Input=" in lines else "Input=env\n")
    for number, config in enumerate(configs):
        text += f"[config{number}]\n" + "\n".join(config.split("|")) + "\n"
    document = ini.loads(text, file="net.ini")
    scope = document.scope("c", *(f"config{number}" for number in range(len(configs))))
    listed = document.value("c", "Input")
    assert listed is not None
    inputs = tuple(PROVIDER if name in provider.NAMES else name for name in listed.text.split(","))
    scope.find("Input")
    found = read(registry.find("cell", type_name), scope, name="c", inputs=inputs)
    scope.close(strict=found.strict)
    return found


def dims(channels: int, height: int = 8, width: int | None = None) -> Dims:
    """Dimensions in the order of torch."""
    return Dims(height if width is None else width, height, channels)
