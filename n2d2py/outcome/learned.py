"""What a run finds out while it learns: curves, the table of its logs, its rates of learning."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

from n2d2py.graph.files import write
from n2d2py.learn.loop import History, Log
from n2d2py.learn.names import path_of
from n2d2py.outcome.places import class_names, folder_of
from n2d2py.parts.solvers import SGD
from n2d2py.report import confusion, curves, schedule
from n2d2py.session import Session

RESULTS = Path("results.csv")
_REDRAWN = 20.0
"""Seconds between two drawings of the learning curve; drawing it takes about half of one."""


class Curves:
    """Watches the learning and keeps its curve up to date; see :class:`~n2d2py.learn.loop.Watcher`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        targets = session.network.targets
        self._points: dict[str, list[curves.Point]] = {target.name: [] for target in targets if target.scores}
        self._scores: list[tuple[int, float]] = []
        self._drawn = 0.0
        self._rows: list[list[str]] = []

    def resumed(self, logs: list[Log]) -> None:
        """Have the points of the logs before a checkpoint."""
        for log in logs:
            self._add(log)

    def logged(self, log: Log) -> None:
        """Add a point to the curve of each target and a row to the table; draw, unless it was drawn just before."""
        self._add(log)
        self._write_table()
        if time.monotonic() - self._drawn > _REDRAWN:
            self.draw()

    def _add(self, log: Log) -> None:
        place = log.epoch + 1 if log.epoch is not None else log.batches
        learning = {success.target.name: success.recent for success in log.learning}
        validation = {result.target.name: result.rate for result in log.validation}
        test = {result.target.name: result.rate for result in log.test}
        for name, points in self._points.items():
            point = curves.Point(place, learning.get(name), validation.get(name), test.get(name), log.rate)
            points.append(point)
        if log.score is not None:
            self._scores.append((log.batches, log.score))
        self._rows.append(
            [
                "" if log.epoch is None else str(log.epoch),
                str(log.batches),
                str(log.stimuli),
                f"{log.seconds:.3f}",
                f"{log.stimuli / max(log.seconds, 1e-9):.1f}",
                f"{log.rate:g}",
                *(_cell(found.get(name)) for name in self._points for found in (learning, validation, test)),
                _cell(log.score),
                str(int(log.best)),
                "" if log.saved is None else str(log.saved),
            ]
        )

    def _write_table(self) -> None:
        """``results.csv``: a row a log. It is written whole, so that a resumed run has no row twice."""
        sets = ("learning", "validation", "test")
        head = ["epoch", "batches", "stimuli", "seconds", "stimuli_per_second", "learning_rate"]
        head += [f"{name}:{part}" for name in self._points for part in sets]
        head += [f"score:{self._session.line['valid-metric']}", "best", "saved"]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *self._rows])
        write(RESULTS, text.getvalue())

    def draw(self) -> None:
        """Write the curve of each target, and the validation scores of the primary one, as they are now."""
        axis = "epoch" if self._session.line["learn-epoch"] else "batch"
        for index, (name, points) in enumerate(self._points.items()):
            if not points:
                continue
            folder = Path(path_of(name))
            curves.write_curve(folder / "learning_curve.png", points, f"{self._session.title}: learning", axis)
            rows = [
                f"{point.epoch:g} {_number(point.learning)} {_number(point.validation)} {_number(point.test)}"
                for point in points
            ]
            write(folder / "learning_curve.dat", "\n".join([f"{axis} learning validation test", *rows, ""]))
            if self._scores and index == 0:
                curves.write_validation(folder, self._scores)
        self._drawn = time.monotonic()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def write_learning(session: Session, history: History, watched: Curves) -> None:
    """Curves and confusion of the learning, and its learning rates."""
    watched.draw()
    last = history.logs[-1]
    window = session.line["ws"] // session.stimuli.batch_size
    for success in last.learning:
        folder = folder_of(success.target)
        names = class_names(session, success.target)
        curves.write_success(folder, "learning", success.successes[:, 0], window)
        confusion.write_confusion(folder, "learning", success.confusion, names, success.confusion.has_none)
        confusion.write_mistakes(folder, "learning", success.mistakes, session.stimuli.name)
    _write_schedules(session, [log.batches for log in history.logs])


def _write_schedules(session: Session, logs: list[int]) -> None:
    """``logs`` are the batches after which learning logged; it ended with a log."""
    size, batch_size = session.stimuli.size("Learn"), session.stimuli.batch_size
    for cell, learned in session.learned.learned():
        if isinstance(learned.solver, SGD):
            found = list(schedule.changes(learned.solver, batch_size, size, logs[-1], logs))
            schedule.write_schedule("schedule", cell, learned.name, found)
