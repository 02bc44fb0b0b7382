"""The page of a run while it is made: it is told what happens, and keeps ``report.html`` up to date."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from n2d2py import console
from n2d2py.errors import N2d2Error, Terminated
from n2d2py.graph import cost
from n2d2py.graph.network import Network
from n2d2py.integer import table
from n2d2py.learn.history import Log
from n2d2py.learn.testing import Result, device_of, grid_of, stimuli_of
from n2d2py.report import formats, page_histograms
from n2d2py.report.page_facts import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    LEARNED,
    OUTPUT,
    QUANTIZED,
    RUNNING,
    START,
    Command,
    Compared,
    Distribution,
    Equality,
    Facts,
    Integers,
    Layer,
    Learning,
    Point,
    Sum,
    Test,
)
from n2d2py.report.page_histograms import Histogram
from n2d2py.report.page_html import is_svg, read, write_page
from n2d2py.version import __version__

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.export.verification import Report
    from n2d2py.integer.network import IntegerNetwork
    from n2d2py.integer.verify import Verification
    from n2d2py.layers.network import TorchNetwork

SETS = ("Learn", "Validation", "Test")
INTERPRETER, FLOATS = "integer network", "float forward"
"""The executors of the comparison that comes with fusion."""

_SHARE = 0.02
"""Of the time of learning that may go into writing the page."""

_MOST_COMMANDS = 20
_MOST_STIMULI, _MOST_VALUES = 32, 1 << 24
"""Stimuli, and values of all cells together, of which the outputs are looked at."""


class Page:
    """The page of a folder; without a ``path`` it is never written. What is told twice replaces what was told."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.facts = Facts()
        self.drawings: dict[str, bytes] = {}
        self._begun = self._written = time.monotonic()
        self._cost = 0.0
        self._warned = False

    # -------------------------------------------------------------------------------------------- the run

    def begin(self, title: str, network: Network, command: Command, plan: Learning | None, goes_on: bool) -> None:
        """A run begins. One that learns from the beginning (``plan``) makes the page anew, others add to it."""
        before = read(self._path) if self._path is not None and (plan is None or goes_on) else None
        if before is not None and before[0].title == title:
            self.facts, self.drawings = before
        facts = self.facts
        facts.title = title
        facts.caption = f"{len(network)} cells, batches of {network.batch_size}"
        for one in facts.commands:
            one.state = INTERRUPTED if one.state == RUNNING else one.state
        facts.commands = [*facts.commands, command][-_MOST_COMMANDS:]
        if plan is not None:
            facts.learning = replace(plan, points=facts.learning.points)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, the run takes place; at its end the page says how it ended."""
        try:
            yield
        except BaseException as error:
            asked = isinstance(error, KeyboardInterrupt | Terminated)
            self._end(INTERRUPTED if asked else FAILED, error.what if isinstance(error, N2d2Error) else "")
            raise
        self._end(FINISHED)
        if self.facts.commands and self._path is not None and not self._warned:
            console.line(f"[LOG] Report ({self._path})")

    def _end(self, state: str, problem: str = "") -> None:
        if self.facts.commands:
            self.facts.commands[-1].state, self.facts.commands[-1].problem = state, problem
            self.write()

    def write(self) -> None:
        """Write the page as it is now; a disk that does not take it is worth a warning, no more."""
        if self._path is None:
            return
        start = time.monotonic()
        if self.facts.commands:
            self.facts.commands[-1].seconds = start - self._begun
        try:
            write_page(self._path, self.facts, self.drawings)
        except OSError as error:
            if not self._warned:
                console.warning(f"{self._path} could not be written: {error.strerror or error}")
            self._warned = True
        self._written = time.monotonic()
        self._cost = self._written - start

    # ------------------------------------------------------------------------------------------- learning

    def resumed(self, logs: list[Log]) -> None:
        """Have the points of the logs before a checkpoint."""
        self.facts.learning.points = [_point(log) for log in logs]

    def logged(self, log: Log) -> None:
        """Add a point; write the page, unless that would take more than a small part of the time."""
        self.facts.learning.points.append(_point(log))
        if time.monotonic() - self._written >= self._cost / _SHARE:
            self.write()

    # ------------------------------------------------------------------------------------------ what it is

    def drawn(self, caption: str, files: Sequence[Path]) -> None:
        """The network was drawn into files, one of which may be an SVG."""
        for file in files:
            if file.suffix == ".svg" and is_svg(content := file.read_bytes()):
                self.drawings[caption] = content

    def at_start(self, network: TorchNetwork) -> None:
        """The weights before learning, and what the layers cost."""
        self.facts.distributions = []
        self._spread(START, page_histograms.of_weights(network))
        self._list(network)

    def has_learned(self, network: TorchNetwork, stimuli: Stimuli) -> None:
        """The weights that a network ends up with, those that it computes with, and what its cells give."""
        self._list(network)
        self._spread(LEARNED, page_histograms.of_weights(network))
        self._spread(QUANTIZED, page_histograms.of_levels(network))
        name = next((name for name in reversed(SETS) if stimuli.size(name)), None)
        if name is not None:
            count = max(1, min(_MOST_STIMULI, _MOST_VALUES // max(1, network.network.cost.nodes)))
            batch = next(iter(stimuli.passes(name, count)), None)
            if batch is not None:
                given = stimuli_of(batch, network, device_of(network), grid_of(network, stimuli, name))
                self._spread(OUTPUT, page_histograms.of_outputs(network, given))

    def _spread(self, stage: str, found: dict[str, Histogram]) -> None:
        kept = [one for one in self.facts.distributions if one.stage != stage]
        self.facts.distributions = kept + [Distribution(cell, stage, one) for cell, one in found.items()]

    def _list(self, network: TorchNetwork) -> None:
        scales = {(one.cell, one.tensor): one.grid.scale for one in formats.formats(network)}
        self.facts.layers = [
            Layer(
                row.name, row.type, "x".join(map(str, row.output.shape)), row.weights, row.others, row.macs,
                row.weight_bits, row.output_bits, scales.get((row.name, "weights")), scales.get((row.name, "output")),
            )
            for row in cost.rows(network.network)
        ]  # fmt: skip

    # -------------------------------------------------------------------------------------- what was found

    def tested(self, what: str, results: Sequence[Result], names: Sequence[str]) -> None:
        """Results of a test of ``what``; ``names`` are those of the outputs, where they are known."""
        for result in results:
            made = _test(what, result, names)
            key = (made.what, made.target, made.set)
            kept = [one for one in self.facts.tests if (one.what, one.target, one.set) != key]
            self.facts.tests = [*kept, made]

    def lowered(self, network: IntegerNetwork, mode: str) -> None:
        """The integer network and its proofs; what was compared with an earlier one is no longer true."""
        rows = [Sum(*(getattr(row, name) for name in _SUMS)) for row in table.rows(network)]
        self.facts.integers = Integers(mode, network.exact, table.verdict(network), rows)
        self.facts.equalities = []

    def compared(self, found: Verification) -> None:
        """The integer network beside the learned one."""
        rows = []
        for row in found.cells:
            floats = {} if row.float_differing is None else {FLOATS: row.float_differing}
            rows.append(Compared(row.cell, row.codes, {INTERPRETER: row.differing, **floats}))
        labels = {INTERPRETER: found.differing_labels, FLOATS: found.float_differing_labels}
        title = "The learned network and the integer network"
        self._equal(Equality(title, found.stimuli, list(labels), rows, found.labels, labels, floats=FLOATS))

    def executed(self, found: Report) -> None:
        """The learned network beside every executor."""
        rows = [Compared(row.cell, row.codes, row.differing) for row in found.rows]
        title = "The learned network and what executes the integer network"
        names = list(found.executors)
        labels = found.differing_labels
        self._equal(Equality(title, found.stimuli, names, rows, found.labels, labels, found.absent))

    def _equal(self, made: Equality) -> None:
        self.facts.equalities = [*(one for one in self.facts.equalities if one.title != made.title), made]


_SUMS = (
    "cell", "weights", "activations", "low", "high", "accumulator_bits", "multiplier", "shift", "form", "proof",
)  # fmt: skip


def command(words: str, seed: int, device: torch.device, stimuli: Stimuli) -> Command:
    """A run that begins, with what it runs on; nothing of it names a machine or a folder."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    versions = {
        "n2d2py": __version__,
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return Command(words, seed, name, versions, {name: stimuli.size(name) for name in SETS})


def _point(log: Log) -> Point:
    return Point(
        epoch=log.epoch,
        batches=log.batches,
        stimuli=log.stimuli,
        seconds=log.seconds,
        rate=log.rate,
        loss=_known(log.loss),
        validation_loss=_known(log.validation_loss),
        test_loss=_known(log.test_loss),
        learning={success.target.name: success.recent for success in log.learning},
        validation={result.target.name: result.rate for result in log.validation},
        test={result.target.name: result.rate for result in log.test},
        score=_known(log.score),
        best=log.best,
    )


def _known(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _test(what: str, result: Result, names: Sequence[str]) -> Test:
    matrix = result.confusion.matrix
    places = np.argwhere(matrix > 0)
    return Test(
        what=what,
        target=result.target.name,
        set=result.set,
        stimuli=len(np.unique(result.ids)),
        rate=result.rate,
        top_n=result.target.top_n,
        top_rate=result.top_rate,
        classes=len(matrix),
        names=list(names)[: len(matrix)],
        confusion=[[*place, int(matrix[tuple(place)])] for place in places.tolist()],
        has_none=result.confusion.has_none,
        loss=_known(result.loss),
    )
