"""What several layers take from one computation in each pass through the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class Once:
    """Keeps what was computed first, between the beginning and the end of a pass; outside of one it keeps nothing."""

    def __init__(self) -> None:
        self._passing = False
        self._found: Any = None

    def get(self, compute: Callable[[], Any]) -> Any:
        """What ``compute`` gives, or gave before in this pass."""
        if not self._passing:
            return compute()
        if self._found is None:
            self._found = compute()
        return self._found

    def _change(self, passing: bool) -> None:
        self._passing, self._found = passing, None


@contextmanager
def one_pass(kept: Sequence[Once]) -> Iterator[None]:
    """One pass through the network."""
    for once in kept:
        once._change(True)
    try:
        yield
    finally:
        for once in kept:
            once._change(False)
