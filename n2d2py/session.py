"""What the steps of a run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from n2d2py.data.random import Generator
from n2d2py.data.source import Source
from n2d2py.data.stimuli import Stimuli
from n2d2py.graph.network import Network
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.distributed import Group
from n2d2py.options import Line
from n2d2py.parts.provider import Provider
from n2d2py.report.page import Page


@dataclass(frozen=True)
class Session:
    """The line, the network as text and in torch, and the data. ``title`` is the name of the INI file.

    ``source`` and ``provider`` are what the INI file says of the stimuli.
    """

    line: Line
    title: str
    ini: Path
    network: Network
    learned: TorchNetwork
    source: Source
    provider: Provider
    stimuli: Stimuli
    generator: Generator
    group: Group | None = None
    """The processes that learn together, if there are several."""
    page: Page = field(default_factory=Page)
    """What tells of the run in ``report.html``."""

    @property
    def writes(self) -> bool:
        """Whether this process tests, writes and prints."""
        return self.group is None or self.group.first
