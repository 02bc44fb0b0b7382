"""Errors that know their place, print themselves, and carry the exit status of the process.

A user's mistake is one of the classes below and never shows a traceback; anything else is a bug of n2d2py.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a value, a section or a mistake stands.

    ``chain`` is the way by which the value came here, nearest first: parents it was inherited through,
    references it was read through, templates it was rendered from.
    """

    file: str | None = None
    line: int | None = None
    section: str | None = None
    key: str | None = None
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(self.file if self.line is None else f"{self.file}:{self.line}")
        if self.section is not None:
            parts.append(f"[{self.section}]" if self.section else "global section")
        if self.key is not None:
            parts.append(self.key)
        parts.extend(self.chain)
        return ", ".join(parts)


class N2d2Error(Exception):
    """A mistake that a user can mend: what is wrong, where, what was expected, and what to do.

    ``exit_status`` is what the process returns: 1 for a run that failed, 2 for wrong usage.
    """

    exit_status = 1

    def __init__(
        self,
        what: str,
        *,
        place: Place | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.what]
        if self.place is not None and str(self.place):
            lines.append(f"  at: {self.place}")
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.remedy:
            lines.append(f"  to do: {self.remedy}")
        return "\n".join(lines)


class UsageError(N2d2Error):
    """The command line is wrong."""

    exit_status = 2


class IniError(N2d2Error):
    """The text of an INI file is wrong: grammar, references, expressions."""


class ParameterError(N2d2Error):
    """A key has a value that it cannot have, is missing, or is not known."""


class GraphError(N2d2Error):
    """The cells do not make a network: parents, cycles, dimensions, connection maps."""


class DataError(N2d2Error):
    """A data set is missing, damaged, or not what it should be."""


class WeightsError(N2d2Error):
    """A folder of weights is missing, damaged, or belongs to another network."""


class LearningError(N2d2Error):
    """Learning cannot go on, for example because a value is no longer finite."""


class IntegerError(N2d2Error):
    """The learned network has no exact integer form."""


class Terminated(BaseException):
    """The process was told to end (SIGTERM), and what it did is kept; like KeyboardInterrupt it is no error."""

    exit_status = 143
    """As shells count it: 128 + SIGTERM."""


_LONGEST_TYPO = 200


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was most likely meant to be, or None."""
    if len(name) > _LONGEST_TYPO:
        return None  # nobody meant a name with it, and comparing takes long
    candidates = list(known)
    folded = {candidate.lower(): candidate for candidate in candidates}
    match = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A remedy for an unknown name: the nearest known one, else the list of all of them."""
    candidates = sorted(set(known))
    match = nearest(name, candidates)
    if match is not None:
        return f"did you mean {match}?"
    return f"known: {', '.join(candidates)}" if candidates else None
