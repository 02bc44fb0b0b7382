"""Boxes that were found against those that are there: which belong together, and how good the finder is by that."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.layers.anchors import overlaps
from n2d2py.learn.metrics import Confusion, final_lines, percent
from n2d2py.learn.targets import NONE, Judged

WIDTH = 8
"""Columns of a table of found boxes."""


class Pair(NamedTuple):
    """A box that is there and one that was found, by their indices, and how much they overlap; -1: there is none."""

    there: int
    found: int
    overlap: float


def matched(there: Tensor, found: Tensor, least: float) -> list[Pair]:
    """Pairs of the boxes ``there`` (n, 5: x, y, width, height, class) and ``found`` (m, 5, the best first).

    Each found box takes the box of its class that it overlaps most and that no other has taken, if by ``least``; what
    is left over then pairs in the same way whatever the classes are, and what still is left over stays alone.
    """
    shared = overlaps(found[:, :4], there[:, :4]).double().numpy()
    same = (found[:, 4:5] == there[:, 4]).numpy()
    free = np.ones(len(there), np.bool_)
    taken: dict[int, Pair] = {}
    for allowed in (same, np.ones_like(same)):
        for index in range(len(found)):
            candidates = np.where(free & allowed[index] & (shared[index] >= least), shared[index], -1.0)
            if index not in taken and len(there) and candidates.max() >= 0:
                best = int(candidates.argmax())
                taken[index] = Pair(best, index, float(shared[index, best]))
                free[best] = False
    alone = [taken.get(index, Pair(-1, index, 0.0)) for index in range(len(found))]
    return alone + [Pair(int(index), -1, 0.0) for index in np.flatnonzero(free)]


def judged(
    there: list[Tensor], found: list[Tensor], least: float, best: list[NDArray[np.int64]] | None = None
) -> Judged:
    """What a target says of the boxes of each stimulus of a batch; see :func:`matched`.

    ``found`` are (m, 6), the best first: x, y, width, height, class, score. ``best`` (m, n) are the classes of which
    one must be that of its region; by default the class alone. The entries are pairs, of which those count that have
    a region.
    """
    rows: list[tuple[int, int, int, float]] = []
    table: list[tuple[float, ...]] = []
    for stimulus, (regions, boxes) in enumerate(zip(there, found, strict=True)):
        for pair in matched(regions, boxes[:, :5], least):
            label = int(regions[pair.there, 4]) if pair.there >= 0 else NONE
            estimated = int(boxes[pair.found, 4]) if pair.found >= 0 else NONE
            right = label >= 0 and label == estimated
            if best is not None and label >= 0 and pair.found >= 0 and label in best[stimulus][pair.found]:
                estimated, right = label, True
            rows.append((stimulus, label, estimated, float(right)))
            if pair.found >= 0:
                table.append((stimulus, *boxes[pair.found].tolist(), pair.overlap if right else 0.0))
    values = np.array(rows, np.float64).reshape(-1, 4)
    labels = torch.from_numpy(values[:, 1].astype(np.int64))
    return Judged(
        labels,
        torch.from_numpy(values[:, 2].astype(np.int64)),
        torch.from_numpy(values[:, 3].copy()),
        labels >= 0,
        values[:, 0].astype(np.int64),
        np.array(table, np.float64).reshape(-1, WIDTH),
    )


def average_precision(scores: NDArray[np.float64], right: NDArray[np.bool_], count: int) -> float:
    """The area below the curve of precision over recall, the precision made monotonic (Everingham et al. 2010).

    ``scores`` of the boxes of a class, whether each is ``right``, and how many regions are there; NaN without any.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 2)
    0.8333333333333333
    """
    if not count:
        return float("nan")
    hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    recall = hits / count
    return float((np.diff(recall, prepend=0.0) * highest).sum())


def mean_average_precision(table: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """The mean of :func:`average_precision` over the classes that occur; ``counts`` are the regions of each.

    ``table`` is that of a result: stimulus, x, y, width, height, class, score, overlap. NaN without scores or regions.
    """
    if not counts.any() or np.isnan(table[:, 6]).any():
        return float("nan")
    found = []
    for index in np.flatnonzero(counts):
        own = table[table[:, 5] == index]
        found.append(average_precision(own[:, 6], own[:, 7] > 0, int(counts[index])))
    return float(np.mean(found))


def region_lines(rate: float, counts: Confusion, table: NDArray[np.float64]) -> list[str]:
    """The block that ends a test of regions: the share of them that is found, what was found, and an empty line.

    ``table`` as in :func:`mean_average_precision`. The mean overlap is that of regions that are found.
    """
    right = table[:, 7] > 0
    there = int(counts.matrix[:-1].sum())
    parts = [
        f"Found: {np.count_nonzero(right)} of {there} regions, with {len(table)} boxes",
        f"Precision: {percent(np.count_nonzero(right) / max(len(table), 1))}",
        f"Mean overlap: {percent(float(table[right, 7].mean()) if right.any() else 0.0)}",
    ]
    mean = mean_average_precision(table, counts.matrix[:-1].sum(axis=1))
    if not np.isnan(mean):
        parts.append(f"Mean average precision: {percent(mean)}")
    return [final_lines(rate, counts)[0], "    " + " / ".join(parts), ""]
