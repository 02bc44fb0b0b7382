"""Which validation was the best, and when there have been enough of those that were not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from n2d2py import console
from n2d2py.learn.expected import likelihood
from n2d2py.learn.metrics import metric_lines, percent
from n2d2py.learn.testing import Result

LIKELIHOOD = "Likelihood"
"""The metric that is no matter of confusion: the validation of the least loss is the best."""

_DOTS = "." * 20


@dataclass(frozen=True)
class Verdict:
    """What a validation came to: the score of the primary target, whether it is the best, what was saved."""

    score: float | None
    best: bool
    saved: Path | None


class Validation:
    """The best scores so far by the place of their target; ``lower`` counts those after the best one."""

    def __init__(self, metric: str, stop_after: int) -> None:
        self.metric, self.stop_after = metric, stop_after
        self.bests: dict[int, float] = {}
        self.lower = 0
        self.stopped = False

    @property
    def best(self) -> float:
        """The best score of the primary target; 0 before the first that is better."""
        return self.bests.get(0, 0.0)

    def judge(self, results: Sequence[Result], save: Callable[[], Path | None], name: str) -> Verdict:
        """Compare with the best so far and say so; ``save`` keeps what is best, None if it could not.

        What was not saved does not count as the best: a later one may take its place.
        """
        console.line(f"Validation{_DOTS}")
        saved: Path | None = None
        best = False
        for index, result in enumerate(results):
            score, before = self._score(result), self.bests.get(index, 0.0)
            if score > before:
                console.line(f"+++ BEST validation score: {percent(score)} [{self.metric}]")
                if index == 0:
                    best, saved = True, save()
                if index or saved is not None:
                    self.bests[index] = score
                if index == 0 and saved is not None:
                    console.line(f"    '{name}' saved!")
            else:
                words = f"{percent(score)} [{self.metric}] (best was {percent(before)})"
                console.line(f"--- LOWER validation score: {words}")
            for line in metric_lines(result.confusion):
                console.line(line)
        self._count(best)
        return Verdict(self._score(results[0]) if results else None, best, saved)

    def _score(self, result: Result) -> float:
        if self.metric == LIKELIHOOD:
            return likelihood(math.nan if result.loss is None else result.loss)
        return result.confusion.average(self.metric)

    def _count(self, best: bool) -> None:
        """Stop learning after too many validations in a row without a better one."""
        self.lower = 0 if best else self.lower + 1
        if self.stop_after and self.lower >= self.stop_after:
            console.line(f"--- Validation did not improve after {self.lower} steps")
            console.line("--- STOPPING THE LEARNING")
            self.stopped = True
