"""Small INI files, and what building them says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from n2d2py import console, ini
from n2d2py.graph.build import build
from n2d2py.graph.network import Network

HEAD = """
[sp]
SizeX=8
SizeY=8
NbChannels=2
BatchSize=4
"""

TAIL = """
[out]
Input=last
Type=Fc
NbOutputs=3
[out.Target]
"""

TINY = (
    HEAD
    + """
[conv]
Input=sp
Type=Conv
NbOutputs=4
KernelSize=3
NoBias=1

[last]
Input=conv
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=4
Mapping.Size=1
"""
    + TAIL
)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def heard() -> Iterator[list[logging.LogRecord]]:
    """What is said through the console."""
    handler = _Kept()
    level = console.logger.level
    console.logger.addHandler(handler)
    console.logger.setLevel(logging.INFO)
    try:
        yield handler.records
    finally:
        console.logger.removeHandler(handler)
        console.logger.setLevel(level)


def network(text: str) -> Network:
    return build(ini.loads(text, file="net.ini"), "net.ini")


def warnings(text: str) -> list[str]:
    """The warnings that building gives."""
    with heard() as records:
        network(text)
    return [record.getMessage() for record in records if record.levelno == logging.WARNING]
