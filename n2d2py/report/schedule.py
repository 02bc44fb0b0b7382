"""``schedule/<cell>_<tensor>_schedule.log``: the learning rate that a solver will have, at each change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from n2d2py.graph.files import write
from n2d2py.learn import policies
from n2d2py.learn.names import path_of
from n2d2py.parts.solvers import SGD
from n2d2py.report import style

_MOST = 10_000
"""Lines of a file, about."""


class Change(NamedTuple):
    """From update ``step`` (from 0; ``iteration`` from 1) in ``epoch`` (from 0) on the rate is ``rate``.

    ``logged`` says whether the loop logs there.
    """

    step: int
    iteration: int
    epoch: int
    rate: float
    logged: bool


def changes(
    record: SGD, batch_size: int, epoch_size: int, updates: int, log_every: int = 0
) -> Iterator[Change]:
    """The rate at its beginning and at each of its changes during ``updates`` updates.

    ``epoch_size`` are the stimuli of an epoch; ``log_every`` updates come between two logs (0: none). Long
    smooth schedules are looked at every so many updates, which keeps it near 10000 changes.
    """
    stimuli = batch_size * record.iteration_size
    an_epoch = max(1, -(-epoch_size // stimuli))
    before: float | None = None
    for step in range(0, max(updates, 1), max(1, updates // _MOST)):
        rate = policies.rate(record, step, batch_size)
        if rate != before:
            logged = bool(log_every) and step > 0 and step % log_every == 0
            yield Change(step, step + 1, step // an_epoch, rate, logged)
            before = rate


def write_schedule(folder: str | Path, cell: str, tensor: str, found: list[Change]) -> Path:
    """Lines ``step iteration epoch learning_rate is_log``; ``tensor`` is weights, bias or scale."""
    lines = [f"{one.step} {one.iteration} {one.epoch} {one.rate:g} {int(one.logged)}" for one in found]
    return write(Path(folder) / f"{path_of(cell)}_{tensor}_schedule.log", "\n".join([*lines, ""]))


def draw_schedule(folder: str | Path, cell: str, tensor: str, found: list[Change], updates: int) -> Path:
    """The same as a picture, ``<cell>_<tensor>_schedule.png``, up to ``updates``."""
    path = Path(folder) / f"{path_of(cell)}_{tensor}_schedule.png"
    steps = [change.step for change in found] + [max(updates, found[-1].step)]
    rates = [change.rate for change in found] + [found[-1].rate]
    with style.picture(path, 7.0, 3.2) as figure:
        axes = figure.subplots()
        axes.plot(steps, rates, drawstyle="steps-post", color=style.BLUE, linewidth=1.6)
        axes.set_title(f"{cell}: learning rate of the {tensor}")
        axes.set_xlabel("update")
        axes.set_ylabel("learning rate")
        axes.set_ylim(0, max([*rates, 1e-12]) * 1.1)
    return path
