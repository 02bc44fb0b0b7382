"""Being asked to stop: SIGTERM and Ctrl-C are noted, and learning ends where its state is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from n2d2py.errors import Terminated


class Interruption:
    """What was asked for since :meth:`watch`: None, or the signal. A second one acts at once."""

    def __init__(self) -> None:
        self.asked: int | None = None

    @contextlib.contextmanager
    def watch(self) -> Iterator[Interruption]:
        """Note signals inside; only the main thread of a process can."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        # A process that was told to ignore Ctrl-C, as one in the background is, goes on doing so.
        noted = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in noted:
            signal.signal(number, self._note)
        try:
            yield self
        finally:
            for number in noted:
                signal.signal(number, before[number])

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self.act()
        self.asked = number

    def act(self) -> None:
        """Raise what the signal stands for: KeyboardInterrupt, or :class:`~n2d2py.errors.Terminated`."""
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated
