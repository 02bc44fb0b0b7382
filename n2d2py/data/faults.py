"""Stimuli that cannot be used: damaged files, images of another size. Each is named once, and counted."""

from __future__ import annotations

import threading

from n2d2py import console
from n2d2py.errors import DataError, N2d2Error

FAIL, SKIP = "fail", "skip"
MODES = (FAIL, SKIP)
"""What is done about a bad stimulus."""

_FEW, _SHARE = 50, 0.1  # so many bad stimuli, and this share of a set, are no accident any more


class Faults:
    """What was found bad; by default the first ones that are looked at must be good, later ones are left out.

    ``mode``: ``fail`` makes an error of each, ``skip`` leaves out even the first ones.
    """

    def __init__(self, mode: str | None = None) -> None:
        if mode is not None and mode not in MODES:
            raise ValueError(f"a bad stimulus can {' or '.join(MODES)}, not {mode!r}")
        self._mode = mode
        self._lock = threading.Lock()
        self.bad: dict[int, str] = {}
        """What is wrong, by the id of the stimulus."""

    def __contains__(self, stimulus: int) -> bool:
        return stimulus in self.bad

    @property
    def strict_at_start(self) -> bool:
        """Whether a bad stimulus among the first ones that are looked at is an error."""
        return self._mode != SKIP

    def add(self, stimulus: int, name: str, error: N2d2Error, size: int) -> None:
        """Leave out a stimulus of a set of ``size``, with a warning; or raise the error, as the mode says.

        Raises :class:`DataError` when so many are bad that the set as a whole is.
        """
        if self._mode == FAIL:
            raise error
        with self._lock:
            if stimulus in self.bad:
                return
            self.bad[stimulus] = error.what
            count = len(self.bad)
        console.warning(f"stimulus {stimulus} ({name}) is left out: {error.what}")
        if count > max(_FEW, _SHARE * size):
            raise DataError(
                f"{count} stimuli are bad, the last of them: {error.what}",
                place=error.place,
                expected=f"at most {_SHARE:.0%} of a set",
                remedy=error.remedy or "is the path right, and do the sizes fit?",
            )

    def report(self) -> None:
        """Say how many stimuli were left out, if any; for the end of a run."""
        if self.bad:
            names = ", ".join(str(stimulus) for stimulus in sorted(self.bad)[:10])
            more = ", ..." if len(self.bad) > 10 else ""
            console.warning(f"{len(self.bad)} stimuli were left out because they are bad: {names}{more}")
