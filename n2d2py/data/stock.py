"""Where the images of a database are, in memory or in files of their own, by the ids of the stimuli."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Block:
    """Images of one size in memory: (count, height, width, channels), the first of which has the id ``first``."""

    images: NDArray[Any]
    stem: str
    first: int
    suffix: str = ".pgm"
    numbers: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        """The name of a stimulus, as N2D2 forms it for images that are not files of their own."""
        if self.numbers is not None:
            return f"{self.stem}[{self.numbers[index]}]{self.suffix}"
        return f"{self.stem}[{index:05d}]{self.suffix}"


@dataclass(frozen=True)
class Files:
    """Stimuli that are files of their own, the first of which has the id ``first``."""

    paths: Sequence[str]
    first: int
    kept: dict[int, NDArray[Any]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        """The name of a stimulus: the path of its file."""
        return self.paths[index]


class Stock:
    """The parts of a database, each with the ids that come next, and which stimuli were cut out of which."""

    def __init__(self) -> None:
        self.parts: list[Block | Files] = []
        self._firsts: list[int] = []
        self._cuts: list[tuple[int, NDArray[np.int64]]] = []

    @property
    def blocks(self) -> list[Block]:
        """The stimuli that are in memory from the beginning."""
        return [part for part in self.parts if isinstance(part, Block)]

    def add(self, part: Block | Files) -> None:
        """One part more, unless it is empty."""
        if len(part):
            self.parts.append(part)
            self._firsts.append(part.first)

    def add_cut(self, first: int, count: int, stimulus: int) -> None:
        """``count`` stimuli more, from the id ``first`` on, whose images are parts of that of ``stimulus``."""
        self._cuts.append((first, np.full(count, self._source(stimulus))))

    def extend(self, other: Stock, stimuli: int) -> None:
        """Those of another database, whose ids move up by ``stimuli``."""
        for part in other.parts:
            self.add(replace(part, first=part.first + stimuli))
        self._cuts += [(first + stimuli, sources + stimuli) for first, sources in other._cuts]

    def find(self, stimulus: int) -> tuple[Block | Files, int]:
        """The part that has the image of a stimulus, and its place there."""
        source = self._source(stimulus)
        index = bisect_right(self._firsts, source) - 1
        if index < 0 or source >= self.parts[index].first + len(self.parts[index]):
            raise ValueError(f"there is no stimulus {stimulus}")
        return self.parts[index], source - self.parts[index].first

    def _source(self, stimulus: int) -> int:
        """The stimulus whose image a slice is of; the stimulus itself if it was not made by cutting."""
        for first, sources in reversed(self._cuts):
            if stimulus >= first:
                return int(sources[stimulus - first]) if stimulus < first + len(sources) else stimulus
        return stimulus
