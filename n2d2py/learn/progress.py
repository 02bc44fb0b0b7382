"""What is seen of a long loop: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from n2d2py import console

_BAR, _SHORT_BAR = 50, 10
_WIDE = 180
"""Columns of a terminal that has room for the long bar and the text beside it."""


def on_terminal() -> bool:
    """Whether somebody watches: standard output is a terminal, and the run's lines go there."""
    return console.logger.isEnabledFor(logging.INFO) and len(console.logger.handlers) > 1 and sys.stdout.isatty()


def bar(share: float) -> str:
    """N2D2's bar of 50 characters.

    >>> bar(0.1)
    '====>                                             '
    """
    done = round(share * _BAR)
    head = "=" * done if done in (0, _BAR) else "=" * (done - 1) + ">"
    return head.ljust(_BAR)


class Bar:
    """A bar with a text beside it that is drawn on a terminal only, and wiped away at its end; ``hidden``: nowhere."""

    def __init__(self, title: str, total: int, hidden: bool = False) -> None:
        self._title, self._total, self._hidden = title, total, hidden
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        if on_terminal() and not self._hidden:
            # Where there is little room the text goes on in a second line: nothing of it is cut.
            wide = shutil.get_terminal_size().columns >= _WIDE
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=_BAR if wide else _SHORT_BAR),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TextColumn("{task.fields[text]}", table_column=Column(overflow="fold")),
                TimeRemainingColumn(),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=self._total, text="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    @property
    def drawn(self) -> bool:
        """Whether there is a bar to see."""
        return self._progress is not None

    def to(self, done: int, text: str | None = None) -> None:
        """Move the bar; ``text`` stands beside it from now on."""
        if self._progress is not None and self._task is not None:
            fields = {} if text is None else {"text": text}
            self._progress.update(self._task, completed=done, **fields)  # type: ignore[arg-type]


class Pace:
    """The clock of a loop: seconds since its start, and stimuli a second; ``before``: seconds of an earlier part."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.monotonic() - before

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def speed(self, stimuli: int) -> float:
        """Stimuli a second if ``stimuli`` have been done since the start."""
        return stimuli / max(self.seconds, 1e-9)


class Due:
    """Says at most every ``seconds`` that it is time to say something, for where nobody sees a bar."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def __bool__(self) -> bool:
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(7.25), duration(75), duration(7384), duration(200000)
    ('7.2 s', '1 min 15 s', '2 h 3 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours < 1:
        return f"{minutes} min {rest} s"
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def course(loss: float | None, score: float | None, rate: float, left: float) -> str:
    """Where learning stands: loss, best validation, learning rate, and the seconds that are left at this pace.

    >>> course(0.25, 0.9625, 0.05, 75), course(None, None, 0.05, 0)
    ('loss 0.25, best validation 96.25%, learning rate 0.05, 1 min 15 s left', 'learning rate 0.05')
    """
    parts = [] if loss is None else [f"loss {loss:.4g}"]
    parts += [] if score is None else [f"best validation {100.0 * score:.2f}%"]
    parts.append(f"learning rate {rate:.6g}")
    parts += [f"{duration(left)} left"] if left > 0 else []
    return ", ".join(parts)


def shown(successes: list[float]) -> str:
    """Success of each target with two decimals: ``74.46%``."""
    return " ".join(f"{100.0 * success:.2f}%" for success in successes)


def epoch_line(epoch: int, share: float, successes: list[float], seconds: float, speed: float) -> str:
    """The line of an epoch (counted from 0), as N2D2 prints it."""
    minutes, rest = divmod(int(seconds), 60)
    return (
        f"Learning [{bar(share)}] #epoch {epoch} {shown(successes)} duration {minutes:02d}:{rest:02d} min "
        f"at {speed:07.2f} p./s ({60.0 * speed:07.0f} p./min)"
    )


def step_line(stimulus: int, size: int, successes: list[float], speed: float) -> str:
    """The line of learning by stimuli, as N2D2 prints it."""
    values = " ".join(f"{100.0 * success:6.2f}%" for success in successes)
    share = 100.0 * stimulus / size
    return f"Learning #{stimulus:<8}({share:5.2f}%)   {values} at {speed:7.2f} p./s ({60.0 * speed:7.0f} p./min)"
