"""What learning is asked to do, and what it tells: plain records, for curves, reports and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from n2d2py.learn.metrics import Confusion
from n2d2py.learn.mistakes import Mistake, records
from n2d2py.learn.precision import FULL, Precision
from n2d2py.learn.testing import Result
from n2d2py.parts.targets import Target


@dataclass(frozen=True)
class Plan:
    """How to learn; the options of the command line with their names there.

    ``epochs`` (-learn-epoch) takes precedence over ``stimuli`` (-learn). A log comes every ``log_epochs``
    (-log-epoch; 0: only the last) or ``log_stimuli`` (-log), a line every ``report`` stimuli (-report); the
    success shown is that of the last ``window`` stimuli (-ws; 0: all). ``metric`` (-valid-metric) chooses the
    best validation, ``stop_after`` (-stop-valid) validations without a better one end learning (0: never).
    ``test_at_logs`` (-log-test) tests at each log, for information only; ``losses``: the loss
    of each test is wanted; ``compiled`` (-compile): passes are compiled; ``precision``: that of products (-amp, -tf32).
    Weights go into folders of ``folder``.
    """

    epochs: int = 0
    stimuli: int = 0
    log_epochs: int = 1
    log_stimuli: int = 1000
    report: int = 100
    window: int = 10000
    metric: str = "Sensitivity"
    stop_after: int = 0
    test_at_logs: bool = False
    losses: bool = False
    compiled: bool = False
    precision: Precision = FULL
    folder: Path = field(default_factory=Path)


@dataclass(frozen=True, eq=False)
class Success:
    """Learning of one target: ``recent`` success over the window; ``successes`` (batches, 2) since the beginning.

    ``confusion`` and ``mistaken`` (the rows of :func:`n2d2py.learn.mistakes.mistaken`) are of the time since the last
    log.
    """

    target: Target
    recent: float
    successes: NDArray[np.float64]
    confusion: Confusion
    mistaken: NDArray[np.int64]

    @property
    def mistakes(self) -> list[Mistake]:
        """What was estimated wrongly, in the order of learning."""
        return records(self.mistaken)


@dataclass(frozen=True, eq=False)
class Log:
    """What is known at a log. ``epoch`` counts from 0 (None when learning by stimuli); ``rate`` is the next one.

    ``score`` is the primary target's metric on the validation set, as a ratio; ``best`` says whether it is the
    best so far. ``saved`` is the folder that was written, if any. ``loss`` is the mean by stimulus of what was learned
    from since the last log; ``validation_loss`` and ``test_loss`` are those of the primary target, if wanted.
    """

    epoch: int | None
    batches: int
    stimuli: int
    seconds: float
    rate: float
    learning: list[Success]
    validation: list[Result]
    score: float | None
    best: bool
    saved: Path | None
    test: list[Result]
    loss: float | None = None
    validation_loss: float | None = None
    test_loss: float | None = None


@dataclass(frozen=True, eq=False)
class History:
    """What learning gave: its logs, the best validation score (None without validation), whether it stopped early."""

    logs: list[Log]
    best: float | None
    stopped_early: bool


class Watcher(Protocol):
    """Somebody who wants to know, for example to draw curves."""

    def logged(self, log: Log) -> None:
        """Called at each log, after weights were saved."""
        ...

    def resumed(self, logs: list[Log]) -> None:
        """Called before learning goes on from a checkpoint, with the logs before it; only their numbers are known."""
        ...
