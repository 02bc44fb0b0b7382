"""What a database holds once it is loaded: images, labels, names and sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.partition import SETS, Partition
from n2d2py.data.random import Generator


@dataclass(frozen=True)
class Block:
    """Images of one size: uint8, (count, height, width, channels), the first of which has the id ``first``."""

    images: NDArray[np.uint8]
    stem: str
    first: int

    def name(self, index: int) -> str:
        """The name of a stimulus, as N2D2 forms it for images that are not files of their own."""
        return f"{self.stem}[{index:05d}].pgm"


class Content:
    """Stimuli by id, in the order of loading: images in blocks, a label each, and the sets.

    ``label_names`` are the names that exist before any stimulus does; others get the next id at first use.
    """

    def __init__(self, generator: Generator, random: bool = True, label_names: Sequence[str] = ()) -> None:
        self.blocks: list[Block] = []
        self.labels: NDArray[np.int64] = np.empty(0, np.int64)
        self.label_names = list(label_names)
        self.partition = Partition(generator, random)

    def append(self, images: NDArray[np.uint8], numbers: NDArray[np.integer], stem: str) -> None:
        """More stimuli, in no set yet; the name of a label is its decimal number. ``images`` has 3 or 4 axes."""
        first = len(self.labels)
        if images.ndim == 3:
            images = images[..., np.newaxis]
        self.blocks.append(Block(images, stem, first))
        distinct, positions = np.unique(numbers, return_index=True)
        identity = {}
        for number in distinct[np.argsort(positions)].tolist():
            identity[number] = self.label_id(str(number))
        ids = np.array([identity[number] for number in distinct.tolist()], np.int64)
        labels = ids[np.searchsorted(distinct, numbers)] if len(numbers) else ids
        self.labels = np.concatenate([self.labels, labels])
        self.partition.add(range(first, len(self.labels)))

    def label_id(self, name: str) -> int:
        """The id of a label, which begins to exist if it did not."""
        if name not in self.label_names:
            self.label_names.append(name)
        return self.label_names.index(name)

    def size(self, name: str) -> int:
        """Stimuli in the set called ``name``."""
        return len(self.partition.sets[name])

    def ids(self, name: str) -> NDArray[np.int64]:
        """Ids of the stimuli of a set, in the set's order."""
        if name not in SETS:
            raise ValueError(f"there is no set {name!r}, only {', '.join(SETS)}")
        return np.array(self.partition.sets[name], np.int64)

    def name(self, stimulus: int) -> str:
        """The name of the stimulus of that id."""
        for block in reversed(self.blocks):
            if stimulus >= block.first:
                return block.name(stimulus - block.first)
        raise ValueError(f"there is no stimulus {stimulus}")
