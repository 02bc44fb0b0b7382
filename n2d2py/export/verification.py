"""The trained network against every executor, code by code, on all stimuli that are given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from n2d2py import tables
from n2d2py.errors import IntegerError
from n2d2py.export.base import Export
from n2d2py.export.executors import Executor
from n2d2py.integer.evaluation import entering
from n2d2py.integer.site import device_of
from n2d2py.integer.verify import Coding
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded
from n2d2py.registry import find


@dataclass
class Row:
    """One cell: its codes, and how many each executor has differently; an executor that does not store it is absent."""

    cell: str
    codes: int = 0
    differing: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What the comparison found. ``labels`` is the number of labels, ``differing_labels`` how many each has wrong."""

    executors: tuple[str, ...]
    stimuli: int
    rows: tuple[Row, ...]
    labels: int
    differing_labels: dict[str, int]
    absent: dict[str, str]

    @property
    def first_differing(self) -> tuple[str, str] | None:
        """Executor and cell that differ first, in the order of the network."""
        for row in self.rows:
            for name in self.executors:
                if row.differing.get(name):
                    return name, row.cell
        return next(((name, "a label") for name in self.executors if self.differing_labels[name]), None)

    @property
    def all_equal(self) -> bool:
        """Whether no code and no label differs anywhere."""
        return self.first_differing is None

    def lines(self) -> list[str]:
        """The table for the console."""
        rows: list[tuple[object, ...]] = [
            (row.cell, row.codes, *(row.differing.get(name, "-") for name in self.executors)) for row in self.rows
        ]
        rows.append(("labels", self.labels, *(self.differing_labels[name] for name in self.executors)))
        return [
            *tables.table(("cell", "codes", *self.executors), rows),
            *(f"{name} is left out: {why}" for name, why in self.absent.items()),
        ]


def compare(
    learned: TorchNetwork, export: Export, batches: Iterable[Coding], wanted: Sequence[str], required: bool = False
) -> Report:
    """Run all stimuli through the trained network and through the ``wanted`` executors.

    Executors that cannot run here, or not this network, are named in the report; if ``required``, they raise
    :class:`IntegerError`. Real stimuli enter as codes of the network's input.
    """
    network = export.network
    rows = [Row(cell) for cell, name in network.outputs.items() if network.edges[name].grid is not None]
    device = next((device_of(layer) for layer in learned.layers.values()), None)
    with _opened(export, wanted, required) as (executors, absent):
        wrong = dict.fromkeys(executors, 0)
        stimuli = labels = 0
        for batch in batches:
            coded = entering(network, Coded(batch.inputs) if batch.codes is None else batch.codes)
            theirs = learned.evaluate(Coded(coded.values.to(device), coded.grid))
            codes = coded.values.cpu().numpy().astype(np.int64)
            stimuli += len(codes)
            found = {name: executor.run(codes) for name, executor in executors.items()}
            for row in rows:
                _count(row, network.outputs[row.cell], theirs[row.cell], found, export)
            for decision in export.decisions:
                right = decision.labels(_expected(export, decision.operation, theirs, found))
                labels += right.size
                for name, results in found.items():
                    wrong[name] += int((decision.labels(results[decision.operation]) != right).sum())
        return Report(tuple(executors), stimuli, tuple(rows), labels, wrong, absent)


@contextlib.contextmanager
def _opened(
    export: Export, wanted: Sequence[str], required: bool
) -> Iterator[tuple[dict[str, Executor], dict[str, str]]]:
    opened: dict[str, Executor] = {}
    absent: dict[str, str] = {}
    try:
        for name in wanted:
            kind = find("executor", name)
            why = kind.missing()
            if why is not None:
                if required:
                    raise IntegerError(f"{name} cannot run here: {why}", remedy="install it, or verify another export")
                absent[name] = why
                continue
            try:
                opened[name] = kind(export)
            except IntegerError as error:
                if required:
                    raise
                absent[name] = error.what
        yield opened, absent
    finally:
        for executor in opened.values():
            executor.close()


def _count(row: Row, operation: str, learned: Coded, found: dict[str, dict[str, np.ndarray]], export: Export) -> None:
    grid = export.network.edges[operation].grid
    assert grid is not None  # rows holds only cells on a grid
    right = learned.values.cpu().numpy()
    row.codes += right.size
    same_grid = learned.grid is not None and learned.grid.scale == grid.scale
    for name, results in found.items():
        if operation in results:
            ours = results[operation]
            equal = same_grid and ours.shape == right.shape
            differing = int(np.count_nonzero(ours != right)) if equal else right.size
            row.differing[name] = row.differing.get(name, 0) + differing


def _expected(
    export: Export, operation: str, theirs: dict[str, Coded], found: dict[str, dict[str, np.ndarray]]
) -> np.ndarray:
    """Codes of an output as the trained network has them, or, where it is no cell's, as the first executor has them."""
    for cell, name in export.network.outputs.items():
        if name == operation and theirs[cell].grid is not None:
            return theirs[cell].values.cpu().numpy().astype(np.int64)
    return next(iter(found.values()))[operation]
