"""What a run says: plain lines, notices and warnings, all through ``logging`` under the name ``n2d2py``.

A program that uses n2d2py as a library hears nothing that it did not ask for; the command line installs
:func:`install`, which prints lines as N2D2 does (``Notice: ...`` in blue and ``Warning: ...`` in red on a
terminal, plain in a file).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from typing import TextIO

logger = logging.getLogger("n2d2py")
logger.addHandler(logging.NullHandler())

NOTICE = 25
logging.addLevelName(NOTICE, "NOTICE")

_RED, _BLUE, _PLAIN = "\033[31m", "\033[34m", "\033[39m"


def line(text: str = "") -> None:
    """One plain line of the run's report."""
    logger.info(text)


def notice(text: str) -> None:
    """Something that the user may want to know and need not change."""
    logger.log(NOTICE, text)


def warning(text: str, about: Hashable = None) -> None:
    """Something that is probably not what the user meant; see :func:`each_once` for ``about``."""
    logger.warning(text, extra={"about": about})


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\t\n\r"}


def printable(text: str) -> str:
    """The text with control characters written out: a name in a file must not steer the terminal."""
    return text.translate(_CONTROLS)


class _Formatter(logging.Formatter):
    def __init__(self, coloured: bool) -> None:
        super().__init__()
        self.coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        text = printable(record.getMessage())
        if record.levelno == logging.INFO:
            return text
        word, colour = ("Notice", _BLUE) if record.levelno == NOTICE else ("Warning", _RED)
        text = f"{word}: {text}"
        return f"{colour}{text}{_PLAIN}" if self.coloured else text


class _Handler(logging.StreamHandler):
    """Writes to the present ``sys.stdout``, whoever has replaced it, unless a stream is given."""

    def __init__(self, stream: TextIO | None) -> None:
        self._fixed = stream
        super().__init__(stream or sys.stdout)
        self.setFormatter(_Formatter(coloured=(stream or sys.stdout).isatty()))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = self._fixed or sys.stdout
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging gives it
        raise  # a closed pipe or a full disk is for the run to answer, not to hide


def install(stream: TextIO | None = None) -> logging.Handler:
    """Print every message to ``stream`` (standard output by default); returns the handler, for :func:`remove`."""
    handler = _Handler(stream)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler


def remove(handler: logging.Handler) -> None:
    """Undo :func:`install`."""
    logger.removeHandler(handler)


@contextmanager
def without_lines() -> Iterator[None]:
    """Inside, only notices and warnings are said."""
    level = logger.level
    logger.setLevel(NOTICE)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def each_once() -> Iterator[None]:
    """Inside, of several warnings ``about`` the same thing only the first is said.

    One line of a file may be read for each of a thousand cells.
    """
    known: set[Hashable] = set()

    def is_new(record: logging.LogRecord) -> bool:
        about = getattr(record, "about", None)
        if about is None or about not in known:
            known.add(about)
            return True
        return False

    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.texts[record.getMessage()] = None


@contextmanager
def kept_warnings() -> Iterator[Collection[str]]:
    """The warnings that are said inside, each once; they are printed all the same."""
    handler = _Kept()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
