"""``schedule/<cell>_<tensor>_schedule.log``: the learning rate of a solver at each change, as it was in the run."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from n2d2py.graph.files import write
from n2d2py.learn import policies
from n2d2py.learn.names import path_of
from n2d2py.parts.solvers import SGD

_MOST = 10_000
"""Lines of a file, about."""


_NAMES = {"weights": "weights", "biases": "bias", "scales": "scale"}
"""What N2D2 calls a tensor in the name of its file; others keep their names."""


class Change(NamedTuple):
    """From update ``step`` (from 0; ``iteration`` from 1) in ``epoch`` (from 0) on the rate is ``rate``.

    ``logged`` says whether the loop logged just before that update.
    """

    step: int
    iteration: int
    epoch: int
    rate: float
    logged: bool


def changes(
    record: SGD, batch_size: int, epoch_size: int, batches: int, logs: Collection[int] = ()
) -> Iterator[Change]:
    """The rate at its beginning and at each of its changes during ``batches`` batches.

    The solver updates once in IterationSize batches. ``epoch_size`` are the stimuli of an epoch; ``logs`` are
    the numbers of batches after which the loop logged. Long smooth schedules are looked at every so many updates
    and at each log, which keeps it near 10000 changes.
    """
    each = record.iteration_size
    updates = batches // each
    an_epoch = max(1, -(-epoch_size // batch_size))
    logged = {log // each for log in logs} - {0}
    looked_at = {*range(0, max(updates, 1), max(1, updates // _MOST)), *(log for log in logged if log < updates)}
    before: float | None = None
    for step in sorted(looked_at):
        rate = policies.rate(record, step, batch_size)
        if rate != before:
            yield Change(step, step + 1, step * each // an_epoch, rate, step in logged)
            before = rate


def write_schedule(folder: str | Path, cell: str, tensor: str, found: list[Change]) -> Path:
    """``<cell>_<weights, bias or scale>_schedule.log``: lines ``step iteration epoch learning_rate is_log``."""
    lines = [f"{one.step} {one.iteration} {one.epoch} {one.rate:g} {int(one.logged)}" for one in found]
    name = f"{path_of(cell)}_{_NAMES.get(tensor, tensor)}_schedule.log"
    return write(Path(folder) / name, "\n".join([*lines, ""]))
